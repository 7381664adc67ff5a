/* Every page around the conversation, in every state: no violation of axe-core's rules in four settings, no page to be scrolled
 * sideways, no complaint in the console. The conversation's window is in access_window.test.js, the agent's desk in
 * access_desk.test.js, the keyboard in keyboard.test.js. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isAccessible, isQuiet } from '../lib/access.js';
import { fillForm, launch, newPerson, openRoom, says, textsOnceShown, windowOf } from '../lib/browser.js';
import { startInstance, until } from '../lib/instance.js';

let instance, browser;

before(async () => {
    instance = await startInstance({ settings: { topics: 'Billing, Technical help, Other', phone_number: '+16035550100' } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A page of its own for the test, at an address. */
async function pageAt(t, url) {
    const { context, page } = await newPerson(browser);
    t.after(() => context.close());
    await page.goto(url.startsWith('/') ? instance.base + url : url);
    return page;
}

test('the check finds what it is for', async (t) => {
    const page = await pageAt(t, '/');
    isQuiet(page);
    const spoil = (change) => page.evaluate(change);
    const finds = (pattern) => assert.rejects(isAccessible(page, 'spoiled'),
        (fault) => fault.actual.some((line) => pattern.test(line)));
    await spoil(() => { document.querySelector('main').append(document.createElement('button')); });
    await finds(/light, 1280 px: button-name/);
    await spoil(() => { document.querySelector('main button').style.cssText = 'display: block; width: 400px'; });
    await finds(/light, 320 px: the page is 4\d\d px wide, the window 320/);
    await spoil(() => {
        document.querySelector('main button').remove();
        document.querySelector('.lead').style.color = '#888';
    });
    await finds(/light, 320 px: color-contrast/);
    await spoil(() => { document.body.setAttribute('style', 'color: red'); });
    await until(() => page.said.length, 'the policy is broken and the console says so');
    assert.throws(() => isQuiet(page));
});

test('the support page', async (t) => {
    const page = await pageAt(t, '/');
    for (const fold of await page.$$('details summary')) await fold.click();
    await isAccessible(page, 'support');
    isQuiet(page);
});

test('the form: empty, and with faults found by the page', async (t) => {
    const page = await pageAt(t, '/cgi_bin/form_submit');
    await isAccessible(page, 'form');
    await page.type('#email', 'no address');
    await page.click('#start');
    await says(page, '#faults', 'Please check your entries');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'faults');
    await isAccessible(page, 'form with faults');
    isQuiet(page);
});

test('the short way in: asking for the name, without one; an unknown code; a page that is not there', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    const room = await openRoom(person, instance.base);
    const way = new URL(await room.$eval('#invite-url', (field) => field.value)).pathname;
    const page = await pageAt(t, way);
    await isAccessible(page, 'join');
    await page.$eval('form', (form) => { form.noValidate = true; });
    await Promise.all([page.waitForNavigation(), page.click('form .btn')]);
    await says(page, '#name-fault', '.');
    await isAccessible(page, 'join without a name');
    isQuiet(page, /status of 400/);
    await page.type('#name', 'Colleague');
    await Promise.all([page.waitForNavigation(), page.click('form .btn')]);
    await textsOnceShown(page, 'My box was open.');
    await page.goto(`${instance.base}/call/0000000`);
    await isAccessible(page, 'message');
    await page.goto(`${instance.base}/nothing_here`);
    await isAccessible(page, 'not found');
    isQuiet(page, /status of 40[04]/);
});

test('the form with faults of the server, the form after it was sent, the page of a request that is kept', async (t) => {
    const person = await newPerson(browser);
    t.after(() => person.context.close());
    await person.page.goto(`${instance.base}/cgi_bin/form_submit`);
    await fillForm(person.page, { phone: '12' });
    const refused = await windowOf(person, () => person.page.evaluate(() => document.getElementById('form').submit()));
    await says(refused, '#phone-fault', '.');
    await isAccessible(refused, 'form with faults of the server');
    isQuiet(refused, /status of 400/);
    await refused.close();

    const programs = instance.processes('vcs_conf_schedule').map(({ pid }) => pid);
    const signal = (name) => programs.forEach((pid) => process.kill(pid, name));
    t.after(() => signal('SIGCONT'));
    signal('SIGSTOP');
    await person.page.$eval('#phone', (field) => { field.value = '603 555 1234'; });
    const kept = await windowOf(person, () => person.page.click('#start'));
    await says(kept, 'h1', 'We have your request');
    await says(kept, 'main', 'Call us at +16035550100');
    await isAccessible(kept, 'kept');
    await isAccessible(person.page, 'form after it was sent');
    signal('SIGCONT');
    await says(kept, '#queue', 'in the queue');
    isQuiet(kept, /status of 503/);
    isQuiet(person.page, /status of 503/);
});
