/* The agent's desk in every state: no violation of axe-core's rules in four settings, no page to be scrolled sideways, no
 * complaint in the console. */
import { after, before, test } from 'node:test';
import { isAccessible, isQuiet } from '../lib/access.js';
import { AGENT, allSent, appears, callIn, clickButton, disappears, launch, newPerson, openDesk, says, setStatus, when,
    write } from '../lib/browser.js';
import { startInstance } from '../lib/instance.js';
import { ask, say, sendFile } from '../lib/people.js';
import { post } from '../lib/http.js';

const SIGNED_OUT = /status of 401.*(agent_poll|agent_sign)/; // who is signed in, only the server can say
let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { topics: 'Billing, Technical help, Other' } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A person whose browser is gone after the test. */
async function agent(t) {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    return person;
}

/* Goes to a pane, which is all that a narrow window shows. */
const show = (desk, hash) => async () => {
    await desk.evaluate((wanted) => { location.hash = wanted; }, hash);
    await when(desk, `${hash} is shown`, (wanted) => document.getElementById(wanted.slice(1))?.checkVisibility(), hash);
};

test('signing in, and what is said to a wrong password', async (t) => {
    const { page } = await agent(t);
    await page.goto(`${instance.base}/agent.html`);
    await appears(page, '#login');
    await isAccessible(page, 'sign-in');
    await page.type('#login', 'anna');
    await page.type('#password', 'not this one');
    await page.keyboard.press('Enter');
    await says(page, '#sign-fault', 'You are not signed in');
    await isAccessible(page, 'sign-in refused');
    isQuiet(page, SIGNED_OUT);
});

test('the empty desk, its menu and its dialogs', async (t) => {
    const person = await agent(t), desk = person.page;
    await openDesk(person, instance, 'anna');
    await says(desk, '#empty', "You're not available, so nothing rings here.");
    await isAccessible(desk, 'empty, not ready');
    await desk.setViewport({ width: 320, height: 640 });
    await clickMenu(desk);
    await isAccessible(desk, 'menu', (width) => (width === 320 ? clickMenu(desk) : null));
    for (const name of ['phone', 'settings']) {
        await desk.evaluate((id) => document.getElementById(id).click(), `${name}-button`);
        await appears(desk, `#${name}-dialog[open]`);
        await isAccessible(desk, name);
        if (name === 'settings') await desk.keyboard.press('Escape');
        else await refusePhone(desk);
        await disappears(desk, 'dialog[open]');
    }
    await setStatus(desk, 'ready');
    await isAccessible(desk, 'empty, ready');
    isQuiet(desk, /status of 40[01].*(agent_poll|agent_act)/);
    await setStatus(desk, 'notready break');
});

/* Opens the menu of a narrow window, if it is not open. */
async function clickMenu(desk) {
    await desk.evaluate(() => {
        const button = document.getElementById('menu-button');
        if (button.getAttribute('aria-expanded') !== 'true') button.click();
    });
    await appears(desk, '#menu');
}

async function refusePhone(desk) {
    await desk.$eval('#phone', (field) => { field.value = ''; });
    await desk.type('#phone', 'none');
    await desk.keyboard.press('Enter');
    await appears(desk, '#phone-fault');
    await isAccessible(desk, 'phone refused');
    await desk.keyboard.press('Escape');
}

test('an invitation, a conversation with a note and a file, the customer, the list, the question before the end', async (t) => {
    const person = await agent(t), desk = person.page;
    await openDesk(person, instance, 'anna');
    const ann = await ask(instance, { name: 'Ann', topic: 'Billing', email: 'ann@example.com', page: 'https://example.com/shop',
        question: 'My order 12345 arrived with its box open, and the machine in it is not the one that I wanted.' });
    await setStatus(desk, 'ready');
    await says(desk, '.invite summary', 'What was said so far (1)');
    await desk.click('.invite summary');
    await isAccessible(desk, 'invitation');
    await clickButton(desk, 'Accept');
    await appears(desk, AGENT);
    await write(desk, AGENT, 'Good morning, Ann! https://example.com/averyveryverylongaddressthatdoesnotfitintoanarrowwindow');
    await sendFile(instance, ann, 'box.txt', 'text/plain', 'a photo of the box');
    await clickButton(desk, 'Note');
    await write(desk, AGENT, 'She has called before.');
    await allSent(desk);
    await says(desk, '.talk a.file', 'box.txt');
    const bob = await callIn(desk, instance, { name: 'Bob', topic: 'Other' });
    await show(desk, `#conf-${ann.conference}`)();
    await say(instance, bob, 'Hello?');
    await says(desk, '#mine .badge', '1');
    await isAccessible(desk, 'conversation', show(desk, `#conf-${ann.conference}`));
    await isAccessible(desk, 'list', show(desk, '#list'));
    await isAccessible(desk, 'customer', show(desk, '#customer'));
    await show(desk, `#conf-${ann.conference}`)();
    await clickButton(desk, 'End');
    await says(desk, 'dialog[open]', 'End the conversation with Ann?');
    await isAccessible(desk, 'end?');
    await clickButton(desk, 'Keep talking');
    await disappears(desk, 'dialog[open]');
    await post(instance.base, '/cgi_bin/conf_post', { conf: ann.conference, token: ann.token, kind: 'leave', nonce: 'leave' });
    await says(desk, '.talk .ended', 'Ann has left.');
    await isAccessible(desk, 'ended', show(desk, `#conf-${ann.conference}`));
    isQuiet(desk, SIGNED_OUT);
    await desk.setOfflineMode(true);
    await says(desk, '#lost', 'Trying again in');
    await isAccessible(desk, 'not connected');
    await desk.setOfflineMode(false);
    await disappears(desk, '#lost');
    isQuiet(desk, /status of 401.*agent_poll|ERR_INTERNET_DISCONNECTED/);
});
