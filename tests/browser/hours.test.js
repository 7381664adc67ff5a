/* Outside of the opening hours: the form is one to leave a message, the room says when somebody is here again and how one comes
 * back; with JavaScript and without. And what the form says while it is open. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isAccessible, isQuiet } from '../lib/access.js';
import { CUSTOMER, NO_SCRIPT, appears, clickButton, conferenceOf, disappears, emptyQueue, fillForm, launch, newPerson, openRoom,
    says, textsOnceShown, when, windowOf, write } from '../lib/browser.js';
import { inThreeDays } from '../lib/hours.js';
import { startInstance, until } from '../lib/instance.js';
import { accept, act, readyAgent, say, waitForOffer } from '../lib/people.js';

const week = inThreeDays();
let closed, open, browser, plain;

before(async () => {
    [closed, open] = await Promise.all([startInstance({ settings: { ...week.settings, phone_number: '+1 603 555 0100' } }),
        startInstance({ settings: { opening_hours: 'Mo-Su 00:00-24:00' } })]);
    [browser, plain] = await Promise.all([launch(), launch(NO_SCRIPT)]);
});
after(async () => {
    await Promise.all([browser?.close(), plain?.close()]);
    await Promise.all([closed?.stop(), open?.stop()]);
});

afterEach(() => Promise.all([closed, open].map(emptyQueue)));

async function personAt(t, which = browser) {
    const person = await newPerson(which);
    t.after(() => person.context.close());
    return person;
}

/* An agent takes that conference: {agent, staff}. */
async function taken(instance, conference) {
    const agent = await readyAgent(instance, 'anna');
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, conference));
    await act(instance, agent, 'notready');
    return { agent, staff };
}

test('the form says that it is closed, until when, and the hours; what is left there is kept', async (t) => {
    const person = await personAt(t);
    await person.page.goto(`${closed.base}/cgi_bin/form_submit`);
    await says(person.page, 'h1', 'Leave us a message');
    await says(person.page, '.lead', 'We are closed until 09:00 on ');
    await says(person.page, '.standing', `Opening hours: ${week.hours} (UTC)`);
    await isAccessible(person.page, 'closed form');
    await fillForm(person.page);
    const room = await windowOf(person, () => person.page.click('#start'));
    await says(person.page, '#opened', 'Your message is kept');
    await isAccessible(person.page, 'closed form after it was sent');
    await says(room, '#queue', 'Closed until ');
    await says(room, '#closed', 'We are closed until ');
    await isAccessible(room, 'closed room');
    isQuiet(person.page);
    isQuiet(room);
});

test('the link leads another browser back, an agent who comes is offered the message, and the room is as any other then', async (t) => {
    const room = await openRoom(await personAt(t), closed.base, { question: 'Please look at my bill.' });
    const link = await room.$eval('#way-back', (field) => field.value), later = (await personAt(t)).page;
    await room.close();
    await later.goto(link);
    assert.doesNotMatch(later.url(), /token/, 'not in the address');
    await textsOnceShown(later, 'Please look at my bill.');
    await write(later, CUSTOMER, 'It is the one of May.');
    const { staff } = await taken(closed, conferenceOf(later));
    await says(later, '#queue', 'A person is with you');
    await disappears(later, '#closed');
    await say(closed, staff, 'It is paid.');
    await textsOnceShown(later, 'It is paid.');
});

test('going away keeps the message; what would end it is called so', async (t) => {
    const room = await openRoom(await personAt(t), closed.base);
    await says(room, '#leave', 'Withdraw');
    await room.click('#leave .btn');
    await says(room, '#sure', 'To keep it, close this window instead.');
    await isAccessible(room, 'asked whether to withdraw');
    await clickButton(room, 'Stay');
    const { agent, staff } = await taken(closed, conferenceOf(room));
    await when(room, 'it is called as ever', () => document.getElementById('leave').textContent.includes('Leave'));
    await act(closed, agent, 'end', { conf: staff.conference });
    await says(room, '#ended', 'The conversation has ended');
});

test('without JavaScript it is the same', async (t) => {
    const person = await personAt(t, plain);
    await person.page.goto(`${closed.base}/cgi_bin/form_submit`);
    await says(person.page, 'h1', 'Leave us a message');
    await fillForm(person.page);
    const room = await windowOf(person, () => person.page.click('#start'));
    await says(room, '#closed', 'We are closed until 09:00 on ');
    await says(room, '#leave', 'Withdraw');
    const log = await until(() => room.frames().find((one) => one.url().includes('part=log')), 'the frame');
    await says(log, '.pill', 'Closed until ');
    const link = await room.$eval('#way-back', (field) => field.value), later = (await personAt(t, plain)).page;
    await later.goto(`${link}&part=page`);
    await textsOnceShown(later, 'My box was open.');
    await says(later, '#closed', 'We are closed until 09:00 on ');
});

test('the agent in the room is not told that it is closed', async (t) => {
    const person = await personAt(t), room = await openRoom(await personAt(t), closed.base);
    const { staff } = await taken(closed, conferenceOf(room));
    await person.page.goto(staff.window);
    await appears(person.page, '#composer');
    assert.equal(await person.page.$('#closed'), null);
});

test('a room that was opened before the hour says that it is closed when the hour comes; after the end a reload is well', async (t) => {
    const room = await openRoom(await personAt(t), open.base), asked = conferenceOf(room);
    assert.equal(await room.$eval('#closed', (panel) => panel.textContent), '');
    const late = { events: [], after: 1, more: false, state: 'waiting', queue: { position: 1, wait_s: null, opens_at: week.opensAt } };
    const instead = (request) => (request.url().includes('/conf_poll')
        ? setTimeout(() => request.respond({ contentType: 'application/json', body: JSON.stringify(late) }).catch(() => {}), 200)
        : request.continue());
    await room.setRequestInterception(true);
    room.on('request', instead);
    await room.reload();
    await says(room, '#closed', 'We are closed until ');
    await says(room, '#leave', 'Withdraw');
    await isAccessible(room, 'room that closed while it was open');
    room.off('request', instead);
    await room.setRequestInterception(false);
    const { agent } = await taken(open, asked);
    await act(open, agent, 'end', { conf: asked });
    await room.reload();
    await says(room, '#ended', 'The conversation has ended');
    await says(room, '#queue', 'Ended');
    assert.deepEqual([await room.$('#composer'), await room.$('#actions')], [null, null]);
    isQuiet(room);
});

test('while it is open the form says how long it may take, and the room has no word of closing', async (t) => {
    const person = await personAt(t), form = async (text) => {
        await until(async () => {
            await person.page.goto(`${open.base}/cgi_bin/form_submit`);
            return (await person.page.$eval('.standing', (line) => line.textContent)).includes(text);
        }, `the form says '${text}'`, 30000, 500);
    };
    await form('Busy Nobody is free at the moment');
    await isAccessible(person.page, 'busy form');
    const agent = await readyAgent(open, 'anna');
    await form('Open Somebody is free now.');
    await isAccessible(person.page, 'open form');
    await act(open, agent, 'notready');
    const room = await openRoom(person, open.base);
    await says(room, '#queue', 'Number 1 in the queue');
    await disappears(room, '#closed');
});
