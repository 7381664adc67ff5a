/* Words that nobody can break, as long as they may be: names, topics, questions, subjects, file names, addresses. No page has to be
 * scrolled sideways for them, and none cuts them. Takes long. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { AGENT, CUSTOMER, allSent, appears, clickButton, conferenceOf, emptyQueue, enter, fillForm, launch, newPerson, openDesk, openRoom,
    preparePage, says, setStatus, when, windowOf, write } from '../lib/browser.js';
import { fits } from '../lib/fits.js';
import { get, post } from '../lib/http.js';
import { buildFolder, startInstance } from '../lib/instance.js';
import { accept, act, ask, readyAgent, say, sendFile, waitForOffer } from '../lib/people.js';
import { join, rtcc, schedule } from '../lib/wire.js';

const long = (letter, length) => letter.repeat(length);
const TOPIC = long('T', 100), SITE = long('S', 100);
const FORM = { name: long('N', 100), question: `https://example.com/${long('q', 240)}` };
let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { topics: `${TOPIC},Other`, site_name: SITE, phone_number: '+16035550100', capacity: 50 } });
    const added = await rtcc(buildFolder, `${instance.runDir}/rtcc.conf`, ['agent', 'add', 'long', long('A', 100), 'agent'],
        `${instance.password}\n`);
    assert.equal(added.status, 0, added.stderr);
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});
afterEach(() => emptyQueue(instance));

async function someone(t, options) {
    const person = await newPerson(browser, options);
    t.after(() => person.context.close());
    return person;
}

const messages = async (member) => {
    await say(instance, member, `See https://example.com/${long('m', 500)} and ${long('W', 300)}`);
    await sendFile(instance, member, `${long('F', 190)}.txt`, 'text/plain', 'a file');
};

test('the form, what it says to faults and to a change, and a request that is kept', async (t) => {
    const { page } = await someone(t, { script: false });
    await page.goto(`${instance.base}/`);
    await fits(page, 'the support page');
    const form = async (entries) => {
        await page.goto(`${instance.base}/cgi_bin/form_submit`);
        await page.$eval('form', (element) => { element.target = '_self'; element.noValidate = true; });
        await fillForm(page, { ...FORM, ...entries });
        await page.select('#topic', TOPIC);
        await Promise.all([page.waitForNavigation(), page.click('#start')]);
    };
    await page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fits(page, 'the form');
    await form({ phone: long('9', 40), email: long('e', 250) });
    await says(page, '#faults', 'Please check your entries');
    await fits(page, 'the form with faults');
    const programs = instance.processes('vcs_conf_schedule').map(({ pid }) => pid);
    const signal = (name) => programs.forEach((pid) => process.kill(pid, name));
    t.after(() => signal('SIGCONT'));
    signal('SIGSTOP');
    await form({});
    await says(page, 'h1', 'We have your request');
    await fits(page, 'a kept request');
    signal('SIGCONT');
    await appears(page, 'main.conf');
    for (const place of ['/nothing_here', `/call/0000000`, `/cgi_bin/conf_view?conf=${long('1', 60)}`]) {
        await page.goto(instance.base + place);
        await fits(page, place);
    }
});

test('the window, a colleague in it, and what is left of it', async (t) => {
    const person = await someone(t), room = await openRoom(person, instance.base, FORM);
    const agent = await readyAgent(instance, 'long');
    await fits(room, 'waiting');
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, conferenceOf(room)));
    await act(instance, agent, 'notready');
    await messages(staff);
    await write(room, CUSTOMER, long('M', 400));
    await allSent(room);
    await says(room, '#logbox', long('F', 190));
    await fits(room, 'talking');
    await room.click('#more summary');
    await fits(room, 'the menu');
    await room.click('#more summary');
    const colleague = await someone(t), way = await room.$eval('#invite-url', (field) => field.value);
    await colleague.page.goto(instance.base + new URL(way).pathname);
    await fits(colleague.page, 'joining');
    await enter(colleague.page, '#name', long('C', 100));
    await Promise.all([colleague.page.waitForNavigation(), colleague.page.click('form .btn')]);
    await write(colleague.page, CUSTOMER, long('D', 300));
    await allSent(colleague.page);
    await fits(colleague.page, 'the colleague');
    await says(room, '#logbox', long('D', 300));
    await fits(room, 'the customer beside the colleague');
    await act(instance, agent, 'end', { conf: staff.conference });
    await appears(room, '#rating');
    await fits(room, 'ended');
    await room.goto(`${instance.base}/cgi_bin/transcript?conf=${staff.conference}&format=html`);
    await fits(room, 'the transcript');
});

test('without JavaScript: the frames, everything on one page', async (t) => {
    const { page } = await someone(t, { script: false });
    const customer = await ask(instance, { ...FORM, topic: TOPIC });
    await messages(customer);
    const place = (part) => `${instance.base}/cgi_bin/conf_view?conf=${customer.conference}&token=${customer.token}&part=${part}`;
    for (const part of ['page', 'write']) {
        await page.goto(place(part));
        await fits(page, part);
    }
    await page.setRequestInterception(true); // the held request takes the place of the page: it gets "no content"
    page.on('request', (request) => (/after=/.test(request.url()) ? request.respond({ status: 204 }) : request.continue()));
    await page.goto(place('log'));
    await fits(page, 'log');
});

test('a transcript whose subject is one word', async (t) => {
    const { page } = await someone(t);
    const { id, participant } = await schedule(instance.base, { subject: `https://${long('u', 240)}` });
    const member = await join(instance.base, participant, id, { name: FORM.name });
    await messages(member);
    await page.goto(`${instance.base}/cgi_bin/transcript?conf=${id}&token=${member.token}&format=html`);
    await says(page, 'h1', long('u', 240));
    await fits(page, 'the transcript');
});

test('the desk: an invitation, a conversation, the list, the customer, what asks before the end', async (t) => {
    const { page: desk } = await someone(t);
    await desk.goto(`${instance.base}/agent.html`);
    await fits(desk, 'signing in');
    await openDesk({ page: desk }, instance, 'long');
    await setStatus(desk, 'ready');
    const customer = await ask(instance, { ...FORM, topic: TOPIC, email: `${long('e', 200)}@example.com`,
        page: `https://example.com/${long('p', 900)}` });
    await says(desk, '.invite summary', 'What was said so far');
    await desk.click('.invite summary');
    const show = (hash) => async () => {
        await desk.evaluate((wanted) => { location.hash = wanted; }, hash);
        await when(desk, `${hash} is shown`, (wanted) => document.getElementById(wanted.slice(1))?.checkVisibility(), hash);
    };
    await fits(desk, 'an invitation');
    await clickButton(desk, 'Accept');
    await appears(desk, AGENT);
    await messages(customer);
    await write(desk, AGENT, long('R', 400));
    await clickButton(desk, 'Note');
    await write(desk, AGENT, long('P', 300));
    await allSent(desk);
    await says(desk, '.talk a.file', long('F', 190));
    await setStatus(desk, 'notready break');
    await ask(instance, { ...FORM, topic: TOPIC });
    await says(desk, '#topics', TOPIC);
    for (const pane of [`#conf-${customer.conference}`, '#list', '#customer']) await fits(desk, pane, show(pane));
    await show(`#conf-${customer.conference}`)();
    await clickButton(desk, 'End');
    await appears(desk, 'dialog[open]');
    await fits(desk, 'end?');
    await clickButton(desk, 'Keep talking');
    const { token, conference } = customer;
    await post(instance.base, '/cgi_bin/conf_post', { conf: conference, token, kind: 'leave', nonce: 'leave' });
    await says(desk, '.talk .ended', 'has left');
    await fits(desk, 'left', show(`#conf-${conference}`));
});
