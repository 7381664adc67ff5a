/* The keyboard alone does everything; the focus stays where the person is; what is new is told without disturbing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { AGENT, CUSTOMER, agentTalks, allSent, appears, callIn, clickButton, customerTalks, disappears, emptyQueue, launch,
    newPerson, openDesk, openReadyDesk, openRoom, roomOf, says, setStatus, textsOnceShown, when } from '../lib/browser.js';
import { get } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { act, allEvents, ask, say } from '../lib/people.js';

let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { capacity: 50 } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});
afterEach(() => emptyQueue(instance));

const press = (page, ...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

/* Whether the focus is there. */
const isAt = (page, selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);

/* Goes on with Tab until the focus is there. Each stop on the way is on the screen and nothing covers it, or is one that is drawn
 * by its label. */
async function tabTo(page, selector) {
    for (let stops = 0; stops < 60; stops++) {
        await page.keyboard.press('Tab');
        const stop = await page.evaluate((wanted) => {
            const here = document.activeElement, box = here.getBoundingClientRect();
            const [x, y] = [box.left + Math.min(box.width, innerWidth) / 2, box.top + Math.min(box.height, innerHeight) / 2];
            const onTop = document.elementFromPoint(x, y);
            return { is: here.matches(wanted), name: here.outerHTML.slice(0, 80),
                isSeen: here === document.body || here.matches('.vh') || here.contains(onTop) || onTop?.contains(here) };
        }, selector);
        assert.ok(stop.isSeen, `${stop.name} has the focus and cannot be seen`);
        if (stop.is) return;
    }
    assert.fail(`Tab does not come to ${selector}`);
}

async function startByKeyboard(ann) {
    const { page } = ann;
    await page.goto(`${instance.base}/`);
    await press(page, 'Tab');
    assert.ok(await isAt(page, '.skip'), 'the first stop skips to the content');
    await tabTo(page, 'main a');
    await Promise.all([page.waitForNavigation(), press(page, 'Enter')]);
    for (const [field, text] of [['#name', 'Ann'], ['#phone', '+1 603 555 1234'], ['#question', 'My box was open.']]) {
        await tabTo(page, field);
        await page.keyboard.type(text);
    }
    await tabTo(page, '#start');
    const room = await roomOf(ann, {}, () => press(page, 'Enter'));
    await says(room, '#queue[role=status]', 'Number 1 in the queue');
    await when(page, 'what has become of it has the focus', () => document.activeElement.id === 'opened');
    return room;
}

async function signInByKeyboard(anna) {
    const { page } = anna;
    await page.goto(`${instance.base}/agent.html`);
    await appears(page, '#login');
    assert.ok(await isAt(page, '#login'));
    await page.keyboard.type('anna');
    await tabTo(page, '#password');
    await page.keyboard.type(instance.password);
    await tabTo(page, '#sign-in');
    await press(page, 'Enter');
    await appears(page, '#empty-ready');
    await tabTo(page, '#empty-ready');
    await press(page, 'Enter');
    return page;
}

test('the whole way with the keyboard alone, at both sides', async () => {
    const ann = await newPerson(browser), anna = await newPerson(browser);
    const room = await startByKeyboard(ann);
    await tabTo(room, CUSTOMER);
    await room.keyboard.type('It smells of coffee.\n');
    await allSent(room);
    const desk = await signInByKeyboard(anna);
    await appears(desk, '.invite .accept');
    await tabTo(desk, '.invite .accept');
    await press(desk, 'Enter');
    await when(desk, 'one can write at once', (area) => document.activeElement.matches(area), AGENT);
    await desk.keyboard.type('I am sorry, Ann!\n');
    await textsOnceShown(room, 'I am sorry, Ann!');
    await room.keyboard.type('Two');
    await room.keyboard.down('Shift');
    await press(room, 'Enter');
    await room.keyboard.up('Shift');
    await room.keyboard.type('lines\n');
    await textsOnceShown(desk, 'Two\nlines');
    await tabTo(desk, '.as-note');
    await press(desk, 'Space');
    await when(desk, 'one writes a note at once', (area) => document.activeElement.matches(area), AGENT);
    await desk.keyboard.type('A note.\n');
    await says(desk, 'li.note', 'A note.');
    await tabTo(desk, '.talk .end');
    await press(desk, 'Enter');
    await when(desk, 'the harmless button has the focus', () => document.activeElement.id === 'confirm-no');
    await press(desk, 'Tab', 'Enter');
    await says(desk, '#empty', 'No conversations.');
    await when(room, 'the end has the focus, since the composer has gone', () => document.activeElement.id === 'ended');
    await tabTo(room, '#rating input[name=stars]');
    await press(room, 'Space', 'ArrowRight', 'ArrowRight');
    assert.equal(await room.$eval('#rating', (form) => new FormData(form).get('stars')), '3');
    await tabTo(room, '#rating .primary');
    await press(room, 'Enter');
    await says(room, '#thanks', 'Thank you');
    await setStatus(desk, 'notready break');
});

test('the focus stays where one writes: after Enter, after the button, and when others write', async (t) => {
    const { room, staff, agent } = await customerTalks(browser, instance, 'ben');
    t.after(() => act(instance, agent, 'end', { conf: staff.conference }));
    await room.type(CUSTOMER, 'by key\n');
    assert.ok(await isAt(room, CUSTOMER));
    await room.type(CUSTOMER, 'by button');
    await room.click('#composer .primary');
    assert.ok(await isAt(room, CUSTOMER));
    await allSent(room);
    await room.type(CUSTOMER, 'half a ');
    await say(instance, staff, 'A word from me');
    await textsOnceShown(room, 'A word from me');
    await room.keyboard.type('sentence');
    assert.equal(await room.$eval(CUSTOMER, (field) => field.value), 'half a sentence');
    await room.focus('#more summary');
    await say(instance, staff, 'Another one');
    await textsOnceShown(room, 'Another one');
    assert.ok(await isAt(room, '#more summary'));
});

test('an invitation and a message in another conversation do not disturb an agent who is writing', async (t) => {
    const { person, desk, customer: ann } = await agentTalks(browser, instance, 'anna', { name: 'Ann' });
    t.after(() => person.context.close());
    const bob = await callIn(desk, instance, { name: 'Bob' });
    await desk.type(AGENT, 'half a ');
    await say(instance, ann, 'Are you there?');
    await says(desk, '#mine .badge', '1');
    await setStatus(desk, 'ready');
    await desk.focus(AGENT);
    await ask(instance, { name: 'Carl', topic: 'Billing' });
    await says(desk, '.invite', 'Carl');
    const told = await desk.$eval('#called[role=alert]', (line) => line.textContent);
    assert.match(told, /^New invitation: Carl, Billing, waiting .*Alt A accepts\.$/);
    await desk.keyboard.type('sentence');
    assert.equal(await desk.$eval(`[id="conf-${bob.conference}"] textarea`, (field) => field.value), 'half a sentence');
    await clickButton(desk, 'Decline');
    await disappears(desk, '.invite');
    await setStatus(desk, 'notready break');
});

const alt = async (desk, key) => {
    await desk.keyboard.down('Alt');
    await desk.keyboard.press(key);
    await desk.keyboard.up('Alt');
};

test('the shortcuts with Alt accept, go to a conversation and write a note, and can be turned off', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openReadyDesk(person, instance, 'ben');
    const rooms = [];
    for (const name of ['Dora', 'Emil']) {
        rooms.push(await ask(instance, { name }));
        await says(desk, '.invite', name);
        await alt(desk, 'a');
        await says(desk, '.talk:not([hidden]) h2', name);
    }
    await alt(desk, '1');
    await says(desk, '.talk:not([hidden]) h2', 'Dora');
    await alt(desk, 'n');
    await desk.keyboard.type('A note.\n');
    await says(desk, '.talk:not([hidden]) li.note', 'A note.');
    await clickButton(desk, 'Settings');
    await desk.click('#shortcuts');
    await press(desk, 'Escape');
    await alt(desk, '2');
    await ask(instance, { name: 'Flora' });
    await says(desk, '.invite', 'Flora');
    await alt(desk, 'a');
    await desk.keyboard.type(' ');
    await says(desk, '.talk:not([hidden]) h2', 'Dora');
    await says(desk, '.invite', 'Flora');
    await clickButton(desk, 'Decline');
    await says(desk, '#said', 'Declined.');
    await setStatus(desk, 'notready break');
    const seen = await allEvents(instance, rooms[0]);
    assert.deepEqual(seen.filter((event) => event.kind === 'note'), [], 'notes are not for customers');
});

test('dialogs and menus close with Esc, keep the focus inside, and give it back', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    const room = await openRoom(person, instance.base, { name: 'Greta' });
    await room.focus('#leave button');
    await press(room, 'Enter');
    await says(room, 'dialog[open]', 'Leave the conversation?');
    for (let i = 0; i < 5; i++) {
        await press(room, 'Tab');
        assert.ok(await isAt(room, 'dialog *, dialog, body')); // body: the browser's own controls come after the last button
    }
    await press(room, 'Escape');
    await disappears(room, 'dialog');
    assert.ok(await isAt(room, '#leave button'));
    await room.focus('#more summary');
    await press(room, 'Enter');
    await appears(room, '#invite-url');
    await press(room, 'Tab', 'Escape');
    await disappears(room, '#invite-url');
    assert.ok(await isAt(room, '#more summary'));
    await room.focus('#solved button');
    await press(room, 'Enter');
    await says(room, 'dialog[open]', 'Is your problem solved?');
    await press(room, 'Tab', 'Enter');
    await says(room, '#ended', 'The conversation has ended');
    const queue = await get(instance.base, '/cgi_bin/queue', { action: 'list' });
    assert.deepEqual(queue.json().invitations, [], 'nobody needs to come');
});

test('a dialog that the menu of a narrow window opened gives the focus to its button', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openDesk(person, instance, 'ben');
    await desk.setViewport({ width: 390, height: 700 });
    for (const name of ['phone', 'settings']) {
        await desk.focus('#menu-button');
        await desk.keyboard.press('Enter');
        await appears(desk, `#${name}-button`);
        await desk.focus(`#${name}-button`);
        await desk.keyboard.press('Enter');
        await appears(desk, `#${name}-dialog[open]`);
        await desk.keyboard.press('Escape');
        await disappears(desk, `#${name}-dialog[open]`);
        await when(desk, 'the button has the focus', () => document.activeElement.id === 'menu-button');
    }
});

test('a new message is one addition to the log; where one stands is told apart from it', async (t) => {
    const { room, staff, agent } = await customerTalks(browser, instance, 'anna');
    t.after(() => act(instance, agent, 'end', { conf: staff.conference }));
    await room.evaluate(() => {
        window.changes = [];
        new MutationObserver((records) => records.forEach((record) => window.changes.push({
            added: [...record.addedNodes].map((node) => node.textContent), removed: record.removedNodes.length,
        }))).observe(document.querySelector('[role=log]'), { childList: true, subtree: true });
    });
    await say(instance, staff, 'Good morning');
    await textsOnceShown(room, 'Good morning');
    const changes = await room.evaluate(() => window.changes);
    const added = changes.flatMap((change) => change.added).filter((text) => text.includes('Good morning'));
    assert.equal(added.length, 1, 'it is added once');
    assert.equal(changes.reduce((sum, change) => sum + change.removed, 0), 0, 'nothing is taken away and drawn again');

    const nodes = [];
    const walk = (node) => { nodes.push(node); node.children?.forEach(walk); };
    walk(await room.accessibility.snapshot({ interestingOnly: false }));
    const log = nodes.find((node) => node.role === 'log');
    assert.equal(log.name, 'Conversation');
    const inLog = [];
    const walkLog = (node) => { inLog.push(node); node.children?.forEach(walkLog); };
    walkLog(log);
    assert.ok(inLog.some((node) => node.name === 'Good morning'));
    assert.ok(!inLog.some((node) => node.role === 'status'), 'no status in the log');
    const status = await room.$$eval('[role=status]', (all) => all.map((each) => each.textContent.replace(/\s+/g, ' ').trim()));
    assert.ok(status.includes('A person is with you'), status.join());
    assert.ok(nodes.some((node) => node.role === 'textbox' && node.name === 'Message'));
    assert.equal(await room.$eval('#text', (field) => document.getElementById(field.getAttribute('aria-describedby')).textContent),
        'Enter sends, Shift and Enter makes a new line');
});

test('whoever reads further up stays there and is told how much is new', async (t) => {
    const { room, staff, agent } = await customerTalks(browser, instance, 'ben');
    t.after(() => act(instance, agent, 'end', { conf: staff.conference }));
    for (let i = 1; i <= 25; i++) await say(instance, staff, `line ${i}\nand its second line`);
    await when(room, 'all lines are there', () => document.querySelectorAll('li.m').length === 26);
    const place = () => room.$eval('[role=log]', (log) => log.scrollTop);
    const atEnd = () => room.$eval('[role=log]', (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2);
    await when(room, 'the end is shown', () => {
        const log = document.querySelector('[role=log]');
        return log.scrollHeight > log.clientHeight && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
    await room.$eval('[role=log]', (log) => new Promise((done) => {
        log.addEventListener('scroll', done, { once: true }); // after the page's own listener
        log.scrollTop = 40;
    }));
    for (const text of ['news', 'more news']) await say(instance, staff, text);
    await says(room, '.newer', '2 new messages');
    assert.equal(await place(), 40);
    await room.click('.newer');
    await disappears(room, '.newer');
    assert.ok(await atEnd());
    await say(instance, staff, 'the last');
    await textsOnceShown(room, 'the last');
    assert.ok(await atEnd(), 'it follows again');
});
