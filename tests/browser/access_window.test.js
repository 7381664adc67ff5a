/* The conversation's window in every state, its parts without JavaScript and its transcript: no violation of axe-core's rules in
 * four settings, no page to be scrolled sideways, no complaint in the console. */
import { after, before, test } from 'node:test';
import { isAccessible, isQuiet } from '../lib/access.js';
import { CUSTOMER, PICTURE, allSent, appears, clickButton, conferenceOf, launch, newPerson, openRoom, preparePage, says,
    write } from '../lib/browser.js';
import { startInstance } from '../lib/instance.js';
import { accept, act, readyAgent, say, sendFile, waitForOffer } from '../lib/people.js';

let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { topics: 'Billing, Technical help, Other', phone_number: '+16035550100' } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

const address = (program, query) => `${instance.base}/cgi_bin/${program}?${new URLSearchParams(query)}`;

/* A tab in which the log frame stays as it is: its held request, which takes its place when it is answered, is answered with "no
 * content". (A page that is about to be replaced cannot be asked anything.) */
async function plainPage(person) {
    const page = await preparePage(await person.context.newPage());
    await page.setRequestInterception(true);
    page.on('request', (request) => (/after=/.test(request.url()) ? request.respond({ status: 204 }) : request.continue()));
    return page;
}

test('the window: waiting, with its menu and its question, offline, talking, ended; the transcript', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    const room = await openRoom(person, instance.base, { topic: '' });
    await says(room, '#queue', 'Number 1 in the queue');
    await isAccessible(room, 'waiting');
    await room.click('#more summary');
    await isAccessible(room, 'waiting, menu');
    await room.click('#more summary');
    await room.click('#leave .btn');
    await appears(room, 'dialog[open]');
    await isAccessible(room, 'leave?');
    await clickButton(room, 'Stay');

    const agent = await readyAgent(instance, 'anna');
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, conferenceOf(room)));
    await act(instance, agent, 'notready');
    await says(room, '#queue', 'A person is with you');
    await say(instance, staff, 'See https://example.com/a?b=c, averyveryverylongwordthatdoesnotfitintoanarrowwindowbyanymeans.');
    await sendFile(instance, staff, 'picture.png', 'image/png', PICTURE);
    await write(room, CUSTOMER, 'Thank you.');
    await allSent(room);
    await says(room, 'a.file', 'picture.png');
    await isAccessible(room, 'talking');
    isQuiet(room);

    await room.setOfflineMode(true);
    await write(room, CUSTOMER, 'In the tunnel');
    await says(room, '#lost', 'Trying again in');
    await says(room, 'li.pending', 'Not sent yet.');
    await isAccessible(room, 'offline');
    await room.setOfflineMode(false);
    await allSent(room);

    const plain = await plainPage(person);
    for (const part of ['page', 'log', 'write']) {
        await plain.goto(address('conf_view', { conf: conferenceOf(room), part }));
        await isAccessible(plain, `part ${part}`);
    }
    await act(instance, agent, 'end', { conf: staff.conference });
    await says(room, '#ended', 'The conversation has ended');
    await isAccessible(room, 'ended');
    isQuiet(room, /ERR_INTERNET_DISCONNECTED/);
    for (const part of ['page', 'log']) {
        await plain.goto(address('conf_view', { conf: conferenceOf(room), part }));
        await isAccessible(plain, `part ${part}, ended`);
    }
    await plain.goto(address('transcript', { conf: conferenceOf(room), format: 'html' }));
    await says(plain, 'main', 'Thank you.');
    await isAccessible(plain, 'transcript');
    isQuiet(plain);
});
