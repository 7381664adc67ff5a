/* The same as robust.test.js for the agent's desk: reload, two tabs, a dropped connection, lost answers, a sign-in that ran out.
 * The customers speak HTTP here. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AGENT, agentTalks, allSent, appears, callIn, clickButton, cutOff, disappears, heldBy, launch, loseAnswers, newPerson,
    openReadyDesk, preparePage, says, setStatus, signInAt, storedBy, textsOnceShown, when, write } from '../lib/browser.js';
import { get, post } from '../lib/http.js';
import { buildFolder, startInstance, until } from '../lib/instance.js';
import { ask, confPoll, say } from '../lib/people.js';
import { rtcc } from '../lib/wire.js';

let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { hold_s: 4, capacity: 50 } }); // a poll that is held already is not cut: it ends soon
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A conversation whose browser is gone after the test. */
async function talk(t, login, entries) {
    const all = await agentTalks(browser, instance, login, entries);
    t.after(() => all.person.context.close());
    return all;
}

const sectionOf = ({ conference }) => `[id="conf-${conference}"]`;

/* What a conversation on the desk shows, open or not. */
const textsOf = (desk, customer) => desk.$$eval(`${sectionOf(customer)} ol.log > li.m .b`, (items) =>
    items.map((item) => item.textContent.trim()));

const goTo = async (desk, customer) => {
    await desk.click(`#mine a[href="#conf-${customer.conference}"]`);
    await appears(desk, sectionOf(customer));
};

test('a reload of the desk loses nothing: conversations, drafts, a note that is being written, what is unread', async (t) => {
    const { desk, customer: ann } = await talk(t, 'anna', { name: 'Ann' });
    await write(desk, AGENT, 'Hello Ann');
    await allSent(desk);
    const bob = await callIn(desk, instance, { name: 'Bob' });
    await desk.type(AGENT, 'half a reply');
    await goTo(desk, ann);
    await desk.click(`${sectionOf(ann)} .as-note`);
    await desk.type(AGENT, 'half a note');
    await Promise.all([desk.reload(), say(instance, bob, 'Are you there?'), say(instance, ann, 'Hello Anna')]);
    await appears(desk, sectionOf(ann));
    assert.deepEqual(await textsOnceShown(desk, 'Hello Anna').then(() => textsOf(desk, ann)),
        ['It does not work.', 'Hello Ann', 'Hello Anna']);
    assert.equal(await desk.$eval(AGENT, (field) => field.value), 'half a note');
    assert.equal(await desk.$eval(`${sectionOf(ann)} .as-note`, (button) => button.getAttribute('aria-pressed')), 'true');
    await says(desk, `#mine a[href="#conf-${bob.conference}"] .badge`, '1');
    await goTo(desk, bob);
    await until(async () => (await textsOf(desk, bob)).includes('Are you there?'), 'Bob is heard');
    assert.deepEqual(await textsOf(desk, bob), ['It does not work.', 'Are you there?']);
    assert.equal(await desk.$eval(AGENT, (field) => field.value), 'half a reply');
    assert.equal(await desk.$eval(`${sectionOf(bob)} .as-note`, (button) => button.getAttribute('aria-pressed')), 'false');
    await disappears(desk, '#mine .badge');
    assert.deepEqual(await storedBy(instance, bob), ['It does not work.', 'Are you there?'], 'a draft is not sent');
});

test('a desk that was touched rings with its invitation, and its sound device rests when nothing is heard', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await desk.evaluateOnNewDocument(() => {
        const { AudioContext: Real } = globalThis;
        globalThis.heard = [];
        globalThis.AudioContext = class extends Real {
            constructor() {
                super();
                globalThis.device = this;
                this.addEventListener('statechange', () => globalThis.heard.push(this.state));
            }
        };
    });
    await openReadyDesk(person, instance, 'anna');
    await when(desk, 'the device rests after the first click', () => globalThis.device?.state === 'suspended');
    await desk.evaluate(() => { globalThis.heard = []; });
    await ask(instance, { name: 'Carla' });
    await appears(desk, '.invite .accept');
    await when(desk, 'it rings', () => globalThis.heard.includes('running'));
    await desk.click('.invite .accept');
    await disappears(desk, '.invite .accept');
    await when(desk, 'the device rests again', () => globalThis.device.state === 'suspended');
    await desk.click('.talk:not([hidden]) .end');
    await clickButton(desk, 'End conversation');
    await disappears(desk, 'dialog[open]');
});

test('an invitation is still there after a reload and can be accepted', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openReadyDesk(person, instance, 'anna');
    const carl = await ask(instance, { name: 'Carl' });
    await says(desk, '.invite', 'Carl');
    await desk.reload();
    await says(desk, '.invite', 'Carl');
    assert.equal((await desk.$$('.invite')).length, 1);
    await clickButton(desk, 'Accept');
    await appears(desk, sectionOf(carl));
    await setStatus(desk, 'notready break');
});

test('who was accepted or declined is not said to be ringing in the queue', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openReadyDesk(person, instance, 'anna');
    const ringing = () => when(desk, 'it rings', () => /1 ringing/.test(document.getElementById('topics').textContent));
    const quiet = async (what) => {
        const began = Date.now();
        await when(desk, 'it rings no more', () => !/ringing/.test(document.getElementById('topics').textContent));
        assert.ok(Date.now() - began < 1500, `${what}: ${Date.now() - began} ms`);
    };
    for (const answer of ['Decline', 'Accept']) {
        const eva = await ask(instance, { name: 'Eva' });
        await ringing();
        await clickButton(desk, answer);
        await disappears(desk, '.invite');
        await quiet(answer);
        await post(instance.base, '/cgi_bin/conf_post', { conf: eva.conference, token: eva.token, kind: 'leave', nonce: 'leave' });
    }
    await setStatus(desk, 'notready break');
});

test('an acceptance whose answer is lost counts: the conversation opens, the agent is in it once', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openReadyDesk(person, instance, 'anna');
    const dora = await ask(instance, { name: 'Dora' });
    await says(desk, '.invite', 'Dora');
    await loseAnswers(desk, 'action=accept');
    await clickButton(desk, 'Accept');
    await appears(desk, sectionOf(dora));
    await disappears(desk, '.invite');
    await write(desk, AGENT, 'Hello Dora');
    await allSent(desk);
    assert.equal(await desk.$eval('#fault', (element) => element.checkVisibility()), false);
    const { events } = await confPoll(instance, dora);
    assert.equal(events.filter((event) => event.kind === 'joined' && event.from.role === 'agent').length, 1);
    await setStatus(desk, 'notready break');
});

test('what the customer writes while it rings stands on the card', async (t) => {
    const person = await newPerson(browser), desk = person.page;
    t.after(() => person.context.close());
    await openReadyDesk(person, instance, 'anna');
    const cleo = await ask(instance, { name: 'Cleo' });
    await says(desk, '.invite', 'Cleo');
    await say(instance, cleo, 'It smells of coffee.');
    await says(desk, '.invite summary', 'What was said so far (2)');
    await desk.click('.invite summary');
    assert.match(await says(desk, '.invite ol', 'coffee'), /It does not work\..*It smells of coffee\./);
    await clickButton(desk, 'Accept');
    await appears(desk, sectionOf(cleo));
    await setStatus(desk, 'notready break');
});

test('two tabs of the desk share one held poll, and when the leading one closes the other goes on', async (t) => {
    const { person, desk, customer } = await talk(t, 'ben', { name: 'Emma' });
    const tab = await preparePage(await person.context.newPage());
    await tab.goto(`${instance.base}/agent.html`);
    await appears(tab, AGENT);
    const holding = (page) => page.asked.filter((request) => /\/agent_poll\?.*wait=[1-9]/.test(request.url())).length;
    for (const text of ['one', 'two', 'three']) {
        await say(instance, customer, text);
        for (const page of [desk, tab]) await textsOnceShown(page, text);
        assert.ok(heldBy([desk, tab], 'agent_poll') <= 1);
    }
    await write(tab, AGENT, 'from the second tab');
    const whole = ['It does not work.', 'one', 'two', 'three', 'from the second tab'];
    for (const page of [desk, tab]) assert.deepEqual(await textsOnceShown(page, whole.at(-1)), whole);
    await allSent(tab);
    assert.equal(holding(tab), 0, 'the second tab has held no poll of its own');
    await desk.close();
    await until(() => heldBy([tab], 'agent_poll') === 1, 'the second tab holds one now');
    await say(instance, customer, 'four');
    assert.deepEqual(await textsOnceShown(tab, 'four'), [...whole, 'four']);
});

test('while the connection is gone the desk says so; replies and notes are kept and sent once, in order', async (t) => {
    const { desk, customer } = await talk(t, 'anna', { name: 'Fred' });
    const mend = await cutOff(desk, '/cgi_bin/');
    await write(desk, AGENT, 'first');
    await clickButton(desk, 'Note');
    await write(desk, AGENT, 'only for us');
    await clickButton(desk, 'Note');
    await write(desk, AGENT, 'second');
    await says(desk, '#lost', 'Connection lost. Your messages are kept. Trying again in');
    await says(desk, '#net', 'Not connected');
    await say(instance, customer, 'Hello?');
    await says(desk, `${sectionOf(customer)} li.pending`, 'Not sent yet.');
    await mend();
    await desk.evaluate(() => document.querySelector('#lost button').click());
    await disappears(desk, '#lost');
    await says(desk, '#net', 'Connected');
    await allSent(desk);
    assert.deepEqual(await textsOf(desk, customer), ['It does not work.', 'Hello?', 'first', 'only for us', 'second']);
    const seen = await storedBy(instance, customer);
    assert.deepEqual(seen, ['It does not work.', 'Hello?', 'first', 'second'], 'notes are not for customers');
});

test('a sign-in that has run out asks for the password and keeps the conversation and what is being written', async (t) => {
    const { desk, customer } = await talk(t, 'ben', { name: 'Gina' });
    await desk.type(AGENT, 'A long expl');
    const conf = `${instance.runDir}/rtcc.conf`;
    const changed = await rtcc(buildFolder, conf, ['agent', 'password', 'ben'], `${instance.password}\n`);
    assert.equal(changed.status, 0, changed.stderr);
    await says(desk, '#sign-why', 'You were signed out. Sign in again; what you were writing is kept.');
    assert.equal(await desk.$eval('#desk', (element) => element.checkVisibility()), false);
    await say(instance, customer, 'Still waiting');
    await signInAt(desk, 'ben', instance.password);
    await textsOnceShown(desk, 'Still waiting');
    assert.equal(await desk.$eval(AGENT, (field) => field.value), 'A long expl');
    await write(desk, AGENT, 'anation');
    await when(desk, 'it has arrived', () => !document.querySelector('.talk:not([hidden]) li.local'));
    assert.deepEqual((await textsOf(desk, customer)).slice(-2), ['Still waiting', 'A long explanation']);
    assert.deepEqual((await storedBy(instance, customer)).slice(-2), ['Still waiting', 'A long explanation']);
});

test('whoever signs out is out: he is asked whether he means it, the session ends, and nothing of it stays in the browser', async (t) => {
    const { desk, person } = await talk(t, 'ben', { name: 'Hans' });
    await desk.type(AGENT, 'half a secret');
    const cookies = () => person.context.cookies();
    const [session] = (await cookies()).filter((one) => one.httpOnly);
    const asked = async () => get(instance.base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie: `${session.name}=${session.value}` });
    assert.equal((await asked()).status, 200);
    await clickButton(desk, 'Sign out');
    await says(desk, 'dialog[open]', 'You are still in');
    await clickButton(desk, 'Stay');
    assert.equal((await asked()).status, 200);
    await clickButton(desk, 'Sign out');
    await desk.$$eval('dialog[open] button', (all) => all.find((one) => one.textContent.trim() === 'Sign out').click());
    await appears(desk, 'input[name=login]');
    await when(desk, 'it is forgotten who was here', () => !localStorage.getItem('desk-agent')); // a poll may hear of the end before
    assert.equal((await asked()).status, 401);
    assert.deepEqual((await cookies()).filter((one) => one.name === session.name), []);
    const kept = await desk.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    assert.ok(!kept.includes('half a secret'), kept);
    assert.equal(/.{0,80}Hans.{0,80}/s.exec(await desk.content())?.[0], undefined);
    await desk.reload();
    await appears(desk, 'input[name=login]');
});
