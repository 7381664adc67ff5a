/* A real browser for the tests: Debian's Chromium. Its headless shell has all of it but the windows around the pages, which cost
 * more than the pages; where it matters which page is in front, the whole browser is started. One context for each person: own
 * cookies, own connections.
 *
 * Nothing here waits for pictures on a screen (requestAnimationFrame): a tab in the background gets none. */
import { X509Certificate, createHash } from 'node:crypto';
import fs from 'node:fs';
import puppeteer from 'puppeteer-core';
import { get, post } from './http.js';
import { sleep, until } from './instance.js';
import { accept, act, allEvents, ask, readyAgent, waitForOffer } from './people.js';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
/* For its address bar the whole browser makes two pages of its own with each window: 1.3 s of a processor each. */
const NO_ADDRESS_BAR = '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup';
const PATIENCE = 15000;

/* A browser in which no page has JavaScript, from its first byte on. Tests may still ask its pages questions. */
export const NO_SCRIPT = ['--blink-settings=scriptEnabled=false'];

const start = (program, headless, flags) => puppeteer.launch({ executablePath: `/usr/bin/${program}`, headless,
    protocolTimeout: 30000, args: [...FLAGS, ...flags] });
export const launch = (flags = []) => start('chromium-headless-shell', 'shell', flags);
export const launchWhole = () => start('chromium', true, [NO_ADDRESS_BAR]);

/* The flag with which a browser believes these certificates and no other that it would not believe by itself. */
export function believe(...certificates) {
    const keys = certificates.map((file) => new X509Certificate(fs.readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' }));
    return `--ignore-certificate-errors-spki-list=${keys.map((key) => createHash('sha256').update(key).digest('base64')).join()}`;
}

/* A person with a page of his own; see preparePage for what the page is given. */
export async function newPerson(browser, { width = 1280, height = 800, dark = false, script = true } = {}) {
    const context = await browser.createBrowserContext();
    const page = await preparePage(await context.newPage(), { width, height, dark, script });
    return { context, page };
}

/* The page gets a size and a colour scheme, and three lists: page.said, what it says to its console, {type, text, url};
 * page.asked, every request that it made; page.open, a set of those that are not answered. */
export async function preparePage(page, { width = 1280, height = 800, dark = false, script = true } = {}) {
    page.said = [];
    page.asked = [];
    page.open = new Set();
    page.on('console', (message) => page.said.push({ type: message.type(), text: message.text(), url: message.location().url }));
    page.on('pageerror', (error) => page.said.push({ type: 'pageerror', text: error.message, url: page.url() }));
    page.on('request', (request) => { page.asked.push(request); page.open.add(request); });
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => page.open.delete(request));
    page.on('close', () => page.open.clear());
    await page.setViewport({ width, height });
    if (!script) await page.setJavaScriptEnabled(false);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
    return page;
}

/* How many requests to that program are held for these pages together. */
export const heldBy = (pages, program) =>
    pages.flatMap((page) => [...page.open]).filter((request) => new URL(request.url()).pathname === `/cgi_bin/${program}`).length;


/* The requests of a page whose body has that part. */
export const posted = (page, part) => page.asked.filter((request) => request.postData()?.includes(part));

/* What `question` answers in the page, as soon as that is something true. The page may go to another address meanwhile. When it
 * takes too long, the fault says what the page shows instead. */
export const when = (page, what, question, ...args) => until(() => page.evaluate(question, ...args).catch((fault) => {
    if (/context was destroyed|Cannot find context|detached/i.test(fault.message)) return false;
    throw fault;
}), what, PATIENCE, 100).catch(async (fault) => {
    const shown = await page.evaluate(() => document.body.innerText).catch((other) => other.message);
    throw new Error(`${fault.message}; ${page.url?.()} shows:\n${shown}\n${page.said?.map(({ text }) => text).join('\n')}`);
});

/* Until something that the selector names can be seen. */
export const appears = (page, selector) => when(page, `${selector} is seen`, (wanted) =>
    [...document.querySelectorAll(wanted)].some((each) => each.checkVisibility()), selector);

/* Until nothing that the selector names can be seen. */
export const disappears = (page, selector) => when(page, `${selector} is seen no more`, (wanted) =>
    ![...document.querySelectorAll(wanted)].some((each) => each.checkVisibility()), selector);

/* Until the element says that; gives its text. */
export const says = (page, selector, text) => when(page, `${selector} says '${text}'`, (wanted, part) => {
    const shown = [...document.querySelectorAll(wanted)].filter((each) => each.checkVisibility());
    const found = shown.find((each) => each.textContent.includes(part));
    return found && found.textContent.replace(/\s+/g, ' ').trim();
}, selector, text);

/* The page that `act` opens in a window of its own. */
export async function windowOf(person, act, options = {}) {
    const opened = new Promise((done) => {
        const look = async (target) => {
            if (target.type() !== 'page') return;
            person.context.off('targetcreated', look);
            done(await target.page());
        };
        person.context.on('targetcreated', look);
    });
    await act();
    return preparePage(await opened, options);
}

/* Writes into a field, all at once as from a clipboard: a key after the other costs the browser 15 ms each. Who tests keys types. */
export async function enter(page, field, text) {
    await page.focus(field);
    await page.keyboard.sendCharacter(text);
}

/* Fills the form in; entries take the place of the usual ones. */
export async function fillForm(page, entries = {}) {
    const form = { name: 'Ann', phone: '+1 603 555 1234', question: 'My box was open.', ...entries };
    for (const [name, value] of Object.entries(form)) if (value) await enter(page, `#${name}`, value);
}

/* Customer: fills the form and is in his room; gives the room's page. */
export async function openRoom(person, base, entries = {}, options = {}) {
    await person.page.goto(`${base}/cgi_bin/form_submit`);
    await fillForm(person.page, entries);
    return roomOf(person, options);
}

/* Until the page is a room with its scripts, or with its frames: before its scripts are there, Enter sends nothing. */
export const isRoom = (page) => when(page, 'the room is there with its scripts, or with its frames', () =>
    document.querySelector('main.conf') && (document.readyState === 'complete' || document.querySelector('noscript iframe')));

/* Customer: sends the form that is filled in, by its button unless `send` does it; gives the room's page. */
export async function roomOf(person, options = {}, send = () => person.page.click('#start')) {
    const room = await windowOf(person, send, options);
    await isRoom(room);
    return room;
}

/* Agent: signs in at the desk. */
export async function openDesk(person, instance, login) {
    await person.page.goto(`${instance.base}/agent.html`);
    await signInAt(person.page, login, instance.password);
}

export async function signInAt(page, login, password) {
    await appears(page, 'input[name=login]');
    await page.evaluate(() => { document.getElementById('login').value = ''; });
    await enter(page, 'input[name=login]', login);
    await enter(page, 'input[name=password]', password);
    await page.keyboard.press('Enter');
    await appears(page, '#status');
}

/* Agent: is at the desk and takes conversations. */
export async function openReadyDesk(person, instance, login) {
    await openDesk(person, instance, login);
    await setStatus(person.page, 'ready');
}

export async function setStatus(page, status) {
    await when(page, 'the desk is loaded', () => document.getElementById('net').classList.contains('ok'));
    await page.select('#status', status);
    await says(page, '#said', status === 'ready' ? 'You are available.' : 'You are not ready.');
}

/* The button with that text, clicked as soon as it is there. */
export async function clickButton(page, text, ms = 10000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
        const isClicked = await page.evaluate((wanted) => {
            const shown = [...document.querySelectorAll('button')].filter((each) => each.checkVisibility());
            const button = shown.find((each) => each.textContent.trim() === wanted);
            button?.click();
            return button !== undefined;
        }, text);
        if (isClicked) return;
    }
    throw new Error(`there is no button '${text}'`);
}

/* Where one writes: at the customer's, at the agent's. */
export const CUSTOMER = '#text';
export const AGENT = '.talk:not([hidden]) textarea';

export async function write(page, field, text) {
    await appears(page, field);
    await enter(page, field, text);
    await page.keyboard.press('Enter');
}

/* The messages that the page shows, in their order: {who, text}. */
export const messagesOn = (page) => page.$$eval('ol.log > li.m', (items) => items.map((item) => ({
    who: item.dataset.who, text: item.querySelector('.b')?.textContent.trim() })));

/* Their texts. */
export const textsOn = async (page) => (await messagesOn(page)).map((message) => message.text);

/* What the server has as messages for a member (people.js), in its order. */
export const storedBy = async (instance, member) => (await allEvents(instance, member))
    .filter((event) => event.kind === 'message').map((event) => event.text);

/* The texts of the messages, as soon as the page shows one with this text. */
export async function textsOnceShown(page, text) {
    await when(page, `'${text}' is shown`, (wanted) =>
        [...document.querySelectorAll('ol.log > li.m .b')].some((each) => each.textContent.trim() === wanted), text);
    return textsOn(page);
}

/* Until no message on the page is still to be sent. */
export const allSent = (page) => when(page, 'all is sent', () => !document.querySelector('ol.log > li.local'));

/* Everybody who waits waits no more: whoever is left from one test would be offered first in the next. */
export async function emptyQueue(instance) {
    const { invitations } = (await get(instance.base, '/cgi_bin/queue', { action: 'list' })).json();
    for (const { invitation } of invitations) await post(instance.base, '/cgi_bin/queue', { action: 'cancel', invitation });
}

/* Which conference a room's page shows. */
export const conferenceOf = (room) => new URL(room.url()).searchParams.get('conf');

/* A customer at the browser and an agent who speaks HTTP, in conversation: {person, room, agent, staff}; staff as people.js has
 * it. The agent takes nobody else. */
export async function customerTalks(browser, instance, login, entries = {}) {
    const person = await newPerson(browser);
    const room = await openRoom(person, instance.base, entries);
    const agent = await readyAgent(instance, login);
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, conferenceOf(room)));
    await act(instance, agent, 'notready');
    await says(room, '#queue', 'A person is with you');
    return { person, room, agent, staff };
}

/* An agent at the browser and a customer who speaks HTTP, in conversation: {person, desk, customer}. */
export async function agentTalks(browser, instance, login, entries = {}) {
    const person = await newPerson(browser);
    await openDesk(person, instance, login);
    return { person, desk: person.page, customer: await callIn(person.page, instance, entries) };
}

/* A further customer who speaks HTTP is taken by the agent at the browser, who then takes nobody else. */
export async function callIn(desk, instance, entries = {}) {
    await setStatus(desk, 'ready');
    const customer = await ask(instance, entries);
    await clickButton(desk, 'Accept');
    await appears(desk, `[id="conf-${customer.conference}"] textarea`);
    await setStatus(desk, 'notready break');
    return customer;
}

/* Requests to programs whose address or body has `part` do not reach the server; gives what ends that. */
export const cutOff = (page, part) => fail(page, part, 'Request');

/* Requests to programs whose address or body has `part` reach the server, but the answer does not come back, as many `times`;
 * gives what ends that. */
export const loseAnswers = (page, part, times = 1) => fail(page, part, 'Response', times);

async function fail(page, part, requestStage, times = Infinity) {
    const wire = await page.createCDPSession();
    const gone = () => {}; // the request, or the page, is there no more
    let left = times;
    wire.on('Fetch.requestPaused', ({ requestId, request }) => {
        const isMeant = request.url.includes(part) || request.postData?.includes(part);
        if (isMeant && left-- > 0) wire.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' }).catch(gone);
        else wire.send('Fetch.continueRequest', { requestId }).catch(gone);
    });
    await wire.send('Fetch.enable', { patterns: [{ urlPattern: '*/cgi_bin/*', requestStage }] });
    return async () => {
        await wire.send('Fetch.disable');
        await wire.detach();
    };
}

/* A small PNG, 10 by 10. */
export const PICTURE = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP8z4APMOGVHbHSAEEsARM+yn2CAAAAAElFTkSuQmCC', 'base64');

/* What a file's link gives in this page, with its cookies: {status, disposition, type, text}. */
export const download = (page, selector) => page.$eval(selector, async (link) => {
    const answer = await fetch(link.href);
    const of = (name) => answer.headers.get(name) ?? '';
    return { status: answer.status, disposition: of('Content-Disposition'), type: of('Content-Type'), text: await answer.text() };
});
