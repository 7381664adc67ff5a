/* Many conversations in one browser, over HTTP/1.1, which gives a host six connections: every page loads, sends and hears, and only
 * a few requests are held. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { CUSTOMER, agentTalks, appears, emptyQueue, launchWhole, newPerson, preparePage, textsOnceShown } from '../lib/browser.js';
import { startInstance, until } from '../lib/instance.js';
import { ask, say } from '../lib/people.js';
import { isQuick } from '../lib/wire.js';
import { HELD_MOST } from '../../htdocs/js/places.js';

const ROOMS = 8;
let instance, browser;

before(async () => {
    instance = await startInstance();
    browser = await launchWhole();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

afterEach(() => emptyQueue(instance));

/* Notes in the page from when to when each request was under way: window.asked, [{url, from, to}]. */
function note() {
    const now = () => performance.timeOrigin + performance.now();
    const { fetch } = window;
    window.asked = [];
    window.fetch = async (url, ...more) => {
        const one = { url: String(url), from: now(), to: null };
        window.asked.push(one);
        try {
            const answer = await fetch(url, ...more);
            await answer.clone().text();
            return answer;
        } finally {
            one.to = now();
        }
    };
}

/* A customer in a tab of this browser: {page, customer}. */
async function openTab(person, entries) {
    const customer = await ask(instance, entries);
    const page = await preparePage(await person.context.newPage());
    await page.evaluateOnNewDocument(note);
    await page.goto(customer.window);
    await appears(page, CUSTOMER);
    return { page, customer };
}

/* Every request of these tabs whose address fits. */
const asked = async (tabs, pattern) => (await Promise.all(tabs.map(({ page }) => page.evaluate(() => window.asked)))).flat()
    .filter(({ url }) => pattern.test(url));

/* How many requests that may wait were under way at the same time, at most. */
async function mostHeld(tabs) {
    const held = await asked(tabs, /\bwait=[1-9]/);
    const changes = held.flatMap(({ from, to }) => [[from, 1], [to ?? Infinity, -1]]).sort(([a, up], [b, down]) => a - b || up - down);
    let now = 0;
    return Math.max(...changes.map(([, change]) => now += change));
}

/* Whether the page's request to that program is held now. */
const isHeld = (page, program) => [...page.open].some((request) => new RegExp(`/${program}\\?.*wait=[1-9]`).test(request.url()));

test('eight conversations in one browser: every page loads, sends and hears, and two are held', async (t) => {
    const person = await newPerson(browser), tabs = [];
    t.after(() => person.context.close());
    for (let i = 0; i < ROOMS; i++) tabs.push(await openTab(person, { name: `Room ${i}`, phone: `+1603555100${i}` }));
    await isQuick('every one hears', 2500, async (round) => {
        const began = performance.now();
        await Promise.all(tabs.map(async ({ page, customer }) => {
            await say(instance, customer, `heard ${round}`);
            await textsOnceShown(page, `heard ${round}`);
        }));
        return performance.now() - began;
    });
    await isQuick('every one sends', 1000, async (round) => {
        const began = Date.now();
        await Promise.all(tabs.map(({ page }) => page.evaluate((text) => {
            document.getElementById('text').value = text;
            document.getElementById('composer').requestSubmit();
        }, `sent ${round}`)));
        const sent = () => asked(tabs, /conf_post/);
        await until(async () => (await sent()).filter(({ to }) => to).length === ROOMS * (round + 1), 'all is sent');
        return Math.max(...(await sent()).filter(({ from }) => from >= began).map(({ from, to }) => to - from));
    });
    assert.equal(await mostHeld(tabs), HELD_MOST);
    for (const { page } of tabs) assert.equal(await page.$eval('#lost', (banner) => banner.hidden), true);
});

test('the page that is looked at is held soon, the others go on', async (t) => {
    const person = await newPerson(browser), tabs = [];
    t.after(() => person.context.close());
    for (let i = 0; i < 4; i++) tabs.push(await openTab(person, { name: `Tab ${i}`, phone: `+1603555200${i}` }));
    for (const { page } of tabs) {
        await page.bringToFront();
        await until(() => isHeld(page, 'conf_poll'), 'it is held', 2500);
    }
    assert.equal(await mostHeld(tabs), HELD_MOST);
});

test('the desk and one customer in the same browser are both held', async (t) => {
    const { person, desk } = await agentTalks(browser, instance, 'anna');
    t.after(() => person.context.close());
    const { page } = await openTab(person, { name: 'Demo', phone: '+16035553000' });
    await until(() => isHeld(desk, 'agent_poll') && isHeld(page, 'conf_poll'), 'both are held');
});
