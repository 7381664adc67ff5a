/* The way of the patent across two hosts: the form is one host's, the room and the desk are another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT, CUSTOMER, appears, clickButton, fillForm, launch, newPerson, openReadyDesk, says, textsOnceShown, windowOf,
    write } from '../lib/browser.js';
import { named, startHosts } from '../lib/hosts.js';

test('support page, form, the window on the other host, and the agent there', async () => {
    const { app, collab, stop } = await startHosts();
    const browser = await launch();
    try {
        const ann = await newPerson(browser), anna = await newPerson(browser);
        await ann.page.goto(`${named(app, 'app').base}/`);
        await Promise.all([ann.page.waitForNavigation(), ann.page.click('main a')]);
        await fillForm(ann.page);
        const room = await windowOf(ann, () => ann.page.click('#start'));
        await says(room, '#queue', 'in the queue');
        assert.equal(new URL(room.url()).host, `collab.localhost:${collab.port}`);
        await openReadyDesk(anna, named(collab, 'collab'), 'anna');
        await appears(anna.page, '.invite .accept');
        await clickButton(anna.page, 'Accept');
        await appears(anna.page, AGENT);
        await write(anna.page, AGENT, 'Good morning!');
        await textsOnceShown(room, 'Good morning!');
        await write(room, CUSTOMER, 'Thank you.');
        await textsOnceShown(anna.page, 'Thank you.');
        const hosts = async (person) => [...new Set((await person.context.cookies()).map((one) => one.domain))];
        assert.deepEqual(await hosts(ann), ['collab.localhost']);
        assert.deepEqual(await hosts(anna), ['collab.localhost']);
    } finally {
        await browser.close();
        await stop();
    }
});
