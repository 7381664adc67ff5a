/* Reload, back button, a second tab, a double click: the customer loses nothing, and nothing is doubled. The agent speaks HTTP
 * here; cuts of every kind are in robust_cut.test.js, the agent's desk is in robust_desk.test.js. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CUSTOMER, allSent, appears, customerTalks, disappears, emptyQueue, enter, fillForm, heldBy, isRoom, launch, newPerson, posted,
    preparePage, says, storedBy, textsOn, textsOnceShown, windowOf, write } from '../lib/browser.js';
import { get } from '../lib/http.js';
import { startInstance, until } from '../lib/instance.js';
import { act, say } from '../lib/people.js';

let instance, browser;

before(async () => {
    instance = await startInstance();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A conversation that lasts as long as the test. */
async function talk(t) {
    const all = await customerTalks(browser, instance, 'anna');
    t.after(async () => {
        await all.person.context.close();
        await act(instance, all.agent, 'end', { conf: all.staff.conference });
    });
    return all;
}

/* A second tab of the same browser, at the same address. */
async function secondTab(person, room) {
    const tab = await preparePage(await person.context.newPage());
    await tab.goto(room.url());
    await appears(tab, CUSTOMER);
    return tab;
}

test('a reload loses nothing, doubles nothing, and keeps what is being written', async (t) => {
    const { room, staff } = await talk(t);
    await write(room, CUSTOMER, 'one');
    await allSent(room);
    await say(instance, staff, 'two');
    await textsOnceShown(room, 'two');
    await room.type(CUSTOMER, 'half a sent');
    for (const text of ['three', 'four', 'five']) await Promise.all([room.reload(), say(instance, staff, text)]);
    const whole = ['My box was open.', 'one', 'two', 'three', 'four', 'five'];
    assert.deepEqual(await textsOnceShown(room, 'five'), whole);
    assert.equal(await room.$eval(CUSTOMER, (field) => field.value), 'half a sent');
    assert.deepEqual(await storedBy(instance, staff), whole);
});

test('the back button comes back to the conversation as it is by then', async (t) => {
    const { room, staff } = await talk(t);
    await write(room, CUSTOMER, 'one');
    await allSent(room);
    await room.goto(`${instance.base}/`);
    await say(instance, staff, 'while you were away');
    await room.goBack();
    assert.deepEqual(await textsOnceShown(room, 'while you were away'), ['My box was open.', 'one', 'while you were away']);
    await write(room, CUSTOMER, 'back again');
    await say(instance, staff, 'good');
    await textsOnceShown(room, 'good');
    await allSent(room);
    assert.deepEqual((await storedBy(instance, staff)).slice(2).sort(), ['back again', 'good', 'while you were away']);
});

test('two tabs share one held poll, and when the leading one closes the other goes on', async (t) => {
    const { person, room, staff } = await talk(t);
    const tab = await secondTab(person, room);
    const holding = (page) => page.asked.filter((request) => /\/conf_poll\?.*wait=[1-9]/.test(request.url())).length;
    const whole = ['My box was open.'];
    for (const text of ['one', 'two', 'three']) {
        whole.push(text, `and ${text}`);
        await say(instance, staff, text);
        for (const page of [room, tab]) await textsOnceShown(page, text);
        await write(tab, CUSTOMER, `and ${text}`);
        for (const page of [room, tab]) await textsOnceShown(page, `and ${text}`);
        await allSent(tab); // both show it before the server has it, and the next 'say' may be quicker than it
        assert.ok(heldBy([room, tab], 'conf_poll') <= 1);
    }
    for (const page of [room, tab]) assert.deepEqual(await textsOn(page), whole);
    assert.deepEqual(await storedBy(instance, staff), whole);
    assert.equal(holding(tab), 0, 'the second tab has held no poll of its own');
    await until(() => heldBy([room], 'conf_poll') === 1, 'the first tab holds one');
    await room.close();
    await until(() => heldBy([tab], 'conf_poll') === 1, 'the second tab holds one now');
    await say(instance, staff, 'four');
    assert.deepEqual(await textsOnceShown(tab, 'four'), [...whole, 'four']);
});

test('a double click on Send sends once', async (t) => {
    const { room, staff } = await talk(t);
    await room.type(CUSTOMER, 'once');
    await room.click('#composer .primary', { count: 2 });
    await write(room, CUSTOMER, 'and this');
    await allSent(room);
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'once', 'and this']);
});

test('a double click on Start starts one conversation, in one window', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { name: 'Dolly' });
    const room = await windowOf(person, () => person.page.click('#start', { count: 2, delay: 5 }));
    await says(room, '#queue', 'Number 1 in the queue');
    await says(person.page, '#opened', 'Your conversation is open');
    assert.equal(posted(person.page, 'name=Dolly').length, 1);
    await person.page.evaluate(() => document.getElementById('form').requestSubmit());
    await until(() => posted(person.page, 'name=Dolly').length === 2 && person.page.open.size === 0, 'it is sent again');
    assert.equal((await person.context.pages()).length, 2);
    assert.equal((await get(instance.base, '/cgi_bin/queue', { action: 'list' })).json().invitations.length, 1);
});

test('a colleague who leaves sees that it is over, and comes in again by the link', async (t) => {
    await emptyQueue(instance);
    const { room, staff } = await talk(t), link = await room.$eval('#invite-url', (field) => field.value);
    const colleague = await newPerson(browser), { page } = colleague;
    t.after(() => colleague.context.close());
    const come = async () => {
        await page.goto(link);
        if (await page.$('#name')) {
            await enter(page, '#name', 'Carl');
            await page.click('form button');
        }
        await isRoom(page);
    };
    for (const round of [1, 2]) {
        await come();
        await write(page, CUSTOMER, `Carl ${round}`);
        await textsOnceShown(room, `Carl ${round}`);
        await page.click('#leave button');
        await page.click('#sure-yes');
        await says(page, '#ended', 'The conversation has ended');
        await says(page, '#queue', 'Ended');
        await disappears(page, CUSTOMER);
        await disappears(page, '#leave');
        await page.reload();
        await says(page, '#ended', 'The conversation has ended');
    }
    await say(instance, staff, 'He is gone.');
    await textsOnceShown(room, 'He is gone.');
    await appears(room, CUSTOMER);
});
