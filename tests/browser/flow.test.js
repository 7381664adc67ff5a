/* The way of the patent in a real browser: figures 2A to 2E, a customer and one or two agents. The same tests run through every
 * web server, each with an instance of its own, and through two hosts, the form on the one and all else on the other; three at once
 * in one browser, because they wait most of the time. Takes long. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { AGENT, CUSTOMER, appears, allSent, believe, clickButton, disappears, download, emptyQueue, fillForm, launch, newPerson, openDesk,
    openReadyDesk, openRoom, roomOf, says, setStatus, textsOnceShown, when, windowOf, write } from '../lib/browser.js';
import { named, startHosts } from '../lib/hosts.js';
import { get } from '../lib/http.js';
import { sleep, startInstance, until } from '../lib/instance.js';

const OFFER_S = 8;
const servers = {
    'stock nginx': {},
    'Apache with mod_proxy_fcgi': { web: 'apache' },
    'Apache with mod_fcgid, which holds polls for two seconds only': { web: 'fcgid' },
    'Apache with mod_cgid, where each request is a process of its own': { web: 'cgid' },
    'https and HTTP/2, nginx': { tls: true },
    'https and HTTP/2, Apache': { web: 'apache', tls: true },
    'two hosts': { isTwoHosts: true },
};

let browser, folder;
const ways = Object.fromEntries(Object.keys(servers).map((name) => [name, { people: [] }])); // see start()

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-files-'));
    for (const [name, way] of Object.entries(ways))
        Object.assign(way, await start(servers[name]));
    const certificates = Object.values(ways).filter(({ instance }) => instance.tlsPort).map(({ instance }) => instance.certificate);
    browser = await launch([believe(...certificates)]);
});
after(async () => {
    await browser?.close();
    for (const { stop } of Object.values(ways)) await stop?.();
    fs.rmSync(folder, { recursive: true, force: true });
});

describe('through every web server', { concurrency: 3 }, () => {
    for (const [name, way] of Object.entries(ways)) {
        describe(name, { concurrency: 1 }, () => { // they share the agents
            afterEach(() => leave(way));
            test('a customer comes from the support page by the form to an agent, both write, it ends with a transcript',
                () => wholeWay(way));
            test('an agent declines, and the conversation goes to the second agent', () => declined(way));
            test('an agent lets an invitation pass: he is told, the customer keeps his place and goes to the next agent', () => passed(way));
            test('a browser that blocks the window shows a link to the conversation instead', () => blocked(way));
        });
    }
});

/* {instance, where rooms and agents are; site, the same as browsers call it; form, where the form is; stop()}. */
async function start({ isTwoHosts, ...options }) {
    const settings = { offer_s: OFFER_S };
    if (isTwoHosts) {
        const { app, collab, stop } = await startHosts({ settingsThere: settings });
        return { instance: collab, site: named(collab, 'collab'), form: named(app, 'app').base, stop };
    }
    const instance = await startInstance({ settings, ...options });
    return { instance, site: instance, form: instance.base, stop: () => instance.stop() };
}

async function come(way) {
    const person = await newPerson(browser);
    way.people.push(person);
    return person;
}

/* All pages are closed, for each that stays open makes the browser slower, and nobody waits: whoever is left would be offered in the
 * next test. */
async function leave(way) {
    for (const { context } of way.people.splice(0)) await context.close();
    await emptyQueue(way.instance);
}

const queue = async (way) => (await get(way.instance.base, '/cgi_bin/queue', { action: 'list' })).json().invitations;

/* Each in a folder of its own: a browser does not send a file that another way has written again meanwhile. */
function fileOf(name, text) {
    const file = path.join(fs.mkdtempSync(path.join(folder, 'file-')), name);
    fs.writeFileSync(file, text);
    return file;
}

/* Types, and goes on at once when the other page says so: a page tells it every three seconds of writing, and it is told to who
 * waits just then. */
async function typesSeen(page, field, words, other, line, sentence) {
    let isSeen = false;
    const seen = says(other, line, sentence).finally(() => { isSeen = true; });
    for (const letter of words) {
        await page.type(field, letter);
        if (!isSeen) await sleep(400);
    }
    await seen;
}

/* Ends what the agent has open, so that the next test has him free. */
async function endConversation(desk) {
    await appears(desk, '.talk:not([hidden]) .end'); // the customer may see him come before his own page does
    await desk.click('.talk:not([hidden]) .end');
    await clickButton(desk, 'End conversation');
    await disappears(desk, 'dialog[open]');
}

async function fromSupportToForm(way, person) {
    await person.page.goto(`${way.form}/`);
    const link = await person.page.$eval('main a', (a) => ({ text: a.textContent, href: a.getAttribute('href') }));
    assert.match(link.text, /^click here/);
    await Promise.all([person.page.waitForNavigation(), person.page.click('main a')]);
    assert.equal(person.page.url(), `${way.form}${link.href}`);
}

async function checkCard(desk) {
    await says(desk, '.invite summary', 'What was said so far (2)');
    const card = await desk.$eval('.invite', (section) => ({
        name: section.querySelector('h2').textContent, question: section.querySelector('.question').textContent,
        said: section.querySelector('ol.said').textContent,
        left: section.querySelector('progress').value, words: section.querySelector('.left span').textContent,
    }));
    assert.equal(card.name, 'Ann');
    assert.equal(card.question, 'My box was open.');
    assert.match(card.said, /My box was open\..*It smells of coffee\./);
    assert.match(card.words, /^[1-9] s left$/);
    await when(desk, 'the countdown goes down', (before) => document.querySelector('.invite progress').value < before, card.left);
}

async function exchangeFiles(room, desk) {
    const [fromAnn, fromAnna] = ['a photo of the box', 'a label to send it back'];
    await (await room.$('#file')).uploadFile(fileOf('box.txt', fromAnn));
    await (await desk.$('.talk:not([hidden]) input.file')).uploadFile(fileOf('label.txt', fromAnna));
    for (const [page, name, text] of [[desk, 'box.txt', fromAnn], [room, 'label.txt', fromAnna]]) {
        await says(page, 'a.file', name);
        const file = await download(page, `ol.log li:not(.me) a.file[href]`);
        assert.equal(file.status, 200);
        assert.equal(file.text, text);
        assert.match(file.disposition, new RegExp(`^attachment.*${name}`));
    }
}

/* Over https: by HTTP/2, and with cookies that no other host and no page without https can have set. */
async function checkWire(way, page) {
    const isSecure = Boolean(way.instance.tlsPort), cookies = await page.cookies();
    assert.ok(cookies.length > 0);
    for (const cookie of cookies) {
        assert.equal(cookie.name.startsWith('__Host-'), isSecure, cookie.name);
        assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path], [isSecure, true, 'Lax', '/'], cookie.name);
    }
    const protocols = await page.evaluate(() => performance.getEntriesByType('resource').map((one) => one.nextHopProtocol));
    assert.deepEqual([...new Set(protocols)].filter(Boolean), [isSecure ? 'h2' : 'http/1.1']);
}

/* Whose cookies somebody has: those of the host where rooms and agents are, and no other's. */
async function checkHosts(way, context) {
    const hosts = new Set((await context.cookies()).map((one) => one.domain));
    assert.deepEqual([...hosts], [new URL(way.site.base).hostname]);
}

async function wholeWay(way) {
    const ann = await come(way), anna = await come(way);
    await fromSupportToForm(way, ann);
    await fillForm(ann.page);
    const room = await roomOf(ann);
    await says(room, '#queue', 'Number 1 in the queue');
    await says(ann.page, '#opened', 'Your conversation is open in its own window');
    assert.equal(ann.page.url(), `${way.form}/cgi_bin/form_submit`, "the form's page stays");
    assert.equal(new URL(room.url()).origin, way.site.base, 'the window is where the rooms are');
    assert.deepEqual(await textsOnceShown(room, 'My box was open.'), ['My box was open.']);
    await write(room, CUSTOMER, 'It smells of coffee.');
    await textsOnceShown(room, 'It smells of coffee.');
    await allSent(room);

    await openReadyDesk(anna, way.site, 'anna');
    const desk = anna.page;
    await checkCard(desk);
    await clickButton(desk, 'Accept');
    await appears(desk, AGENT);
    await says(room, '#queue', 'A person is with you');
    await says(room, 'li.sys', 'Anna joined');
    assert.deepEqual(await textsOnceShown(desk, 'It smells of coffee.'), ['My box was open.', 'It smells of coffee.']);
    assert.equal(await desk.$('.invite'), null, 'the card has gone');
    assert.deepEqual(await queue(way), []);

    await typesSeen(desk, AGENT, 'I am sorry', room, '#typing', 'Anna is typing…');
    await write(desk, AGENT, ', Ann!');
    await textsOnceShown(room, 'I am sorry, Ann!');
    assert.equal(await room.$eval('#typing', (line) => line.textContent), '', 'what was being typed is here');
    await typesSeen(room, CUSTOMER, 'Thank you', desk, '.talk:not([hidden]) .typing', 'Ann is typing…');
    await write(room, CUSTOMER, '.');
    await textsOnceShown(desk, 'Thank you.');
    await exchangeFiles(room, desk);
    for (const page of [room, desk]) await checkWire(way, page);
    for (const { context } of [ann, anna]) await checkHosts(way, context);

    await desk.click('.talk:not([hidden]) .as-note');
    await write(desk, AGENT, 'She has called twice before.');
    await says(desk, 'li.note', 'She has called twice before.');
    await allSent(desk);
    await desk.click('.talk:not([hidden]) .as-note');
    await write(desk, AGENT, 'A new one is on its way.');
    const whole = ['My box was open.', 'It smells of coffee.', 'I am sorry, Ann!', 'Thank you.'];
    const shown = await textsOnceShown(room, 'A new one is on its way.');
    assert.deepEqual(shown.filter((text) => !/\.txt/.test(text)), [...whole, 'A new one is on its way.']);
    assert.ok(!(await room.content()).includes('called twice'), 'the note is not in the page');

    await desk.click('.talk:not([hidden]) .end');
    await says(desk, 'dialog[open]', 'End the conversation with Ann?');
    await clickButton(desk, 'Keep talking');
    await disappears(desk, 'dialog[open]');
    await endConversation(desk);
    await says(desk, '#empty', 'No conversations.');
    await says(room, '#queue', 'Ended');
    await rate(room);
    await readTranscript(ann, room);
}

async function rate(room) {
    await says(room, '#ended', 'The conversation has ended');
    assert.equal(await room.$eval('#composer', (form) => form.checkVisibility()), false, 'nobody writes to nobody');
    await room.click('#rating label:nth-of-type(5)');
    await room.type('#rating-text', 'Quick!');
    await clickButton(room, 'Send rating');
    await says(room, '#thanks', 'Thank you for your rating.');
    await room.reload();
    await says(room, '#ended', 'Thank you for your rating.');
    assert.equal(await room.$('#rating'), null, 'one rates once');
}

async function readTranscript(person, room) {
    const page = await windowOf(person, () => room.click('#ended a[target=_blank]'));
    const text = await says(page, 'main', 'A new one is on its way.');
    assert.match(text, /Ann.*My box was open\..*Anna.*I am sorry, Ann!.*box\.txt/);
    assert.ok(!text.includes('called twice'), 'no note is in the transcript');
}

async function declined(way) {
    const [ann, anna, ben] = await Promise.all([come(way), come(way), come(way)]);
    await openReadyDesk(anna, way.site, 'anna');
    await openDesk(ben, way.site, 'ben');
    const room = await openRoom(ann, way.form, { name: 'Dora' });
    await appears(anna.page, '.invite .decline');
    await setStatus(ben.page, 'ready');
    assert.equal(await ben.page.$('.invite'), null, 'it rings at one agent at a time');
    await clickButton(anna.page, 'Decline');
    await disappears(anna.page, '.invite');
    await says(anna.page, '#said', 'Declined. The customer keeps the place in the queue.');
    await says(ben.page, '.invite', 'Dora');
    await says(room, '#queue', 'Number 1 in the queue');
    await clickButton(ben.page, 'Accept');
    await says(room, '#queue', 'A person is with you');
    await says(room, 'li.sys', 'Ben joined');
    assert.equal(await anna.page.$('.talk'), null);
    await endConversation(ben.page);
    await setStatus(anna.page, 'notready break');
    await setStatus(ben.page, 'notready break');
}

async function passed(way) {
    const [ann, cora, anna, ben] = await Promise.all([1, 2, 3, 4].map(() => come(way)));
    const room = await openRoom(ann, way.form, { name: 'Emil' });
    const behind = await openRoom(cora, way.form, { name: 'Cora' });
    await says(behind, '#queue', 'Number 2 in the queue');
    await openReadyDesk(anna, way.site, 'anna');
    await says(anna.page, '.invite', 'Emil');
    await openDesk(ben, way.site, 'ben');
    await disappears(anna.page, '.invite');
    await says(anna.page, '#missed', 'You missed an invitation, so new ones go to others.');
    assert.equal(await anna.page.$eval('#status', (select) => select.selectedOptions[0].textContent), 'Not ready: no answer');
    await until(async () => (await queue(way)).every((one) => one.state === 'queued'), 'both wait again');
    await says(room, '#queue', 'Number 1 in the queue');
    await says(behind, '#queue', 'Number 2 in the queue');
    await setStatus(ben.page, 'ready');
    await says(ben.page, '.invite', 'Emil');
    await clickButton(ben.page, 'Accept');
    await says(room, '#queue', 'A person is with you');
    await setStatus(ben.page, 'notready break');
    await clickButton(anna.page, "I'm available");
    await disappears(anna.page, '#missed');
    await says(anna.page, '.invite', 'Cora');
    await clickButton(anna.page, 'Accept');
    await says(behind, '#queue', 'A person is with you');
    await setStatus(anna.page, 'notready break');
}

async function blocked(way) {
    const ann = await come(way);
    await ann.page.evaluateOnNewDocument(() => { window.open = () => null; });
    await ann.page.goto(`${way.form}/cgi_bin/form_submit`);
    await fillForm(ann.page, { name: 'Flora' });
    await ann.page.click('#start');
    await says(ann.page, '#opened', 'Your browser did not let us open a window.');
    const room = await windowOf(ann, () => ann.page.click('#go'));
    await says(room, '#queue', 'in the queue');
    assert.equal((await queue(way)).length, 1, 'it is one conversation');
}
