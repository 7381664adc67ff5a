/* Two tabs of one conversation, or of the desk, share one held poll: what the one says of the connection, the other believes. So
 * the truth has to reach it also when the leading tab is loaded anew. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CUSTOMER, agentTalks, appears, customerTalks, cutOff, disappears, heldBy, launch, preparePage, says,
    textsOnceShown } from '../lib/browser.js';
import { sleep, startInstance, until } from '../lib/instance.js';
import { say } from '../lib/people.js';

let instance, browser;

before(async () => {
    instance = await startInstance();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

async function secondTab(person, url, isThere) {
    const tab = await preparePage(await person.context.newPage());
    await tab.goto(url);
    await appears(tab, isThere);
    return tab;
}

/* Every text that an element has from now on. */
const watch = (page, selector) => page.evaluate((wanted) => {
    const element = document.querySelector(wanted);
    window.seen = [element.textContent];
    new MutationObserver(() => window.seen.push(element.textContent)).observe(element,
        { subtree: true, childList: true, characterData: true });
}, selector);

test('when the leading tab of the desk is loaded anew the other stays connected', async (t) => {
    const { person, desk } = await agentTalks(browser, instance, 'ben');
    t.after(() => person.context.close());
    const tab = await secondTab(person, `${instance.base}/agent.html`, '#status');
    await until(() => heldBy([desk], 'agent_poll') === 1 && heldBy([tab], 'agent_poll') === 0, 'the first tab leads');
    await says(tab, '#net', 'Connected');
    await watch(tab, '#net');
    await desk.reload();
    await until(() => heldBy([tab], 'agent_poll') === 1, 'the second tab leads');
    await says(desk, '#net', 'Connected');
    await sleep(1000);
    assert.deepEqual((await tab.evaluate(() => window.seen)).filter((text) => /Not connected/.test(text)), []);
    await says(tab, '#net', 'Connected');
});

test('when the leading tab is loaded anew after a cut the other knows that the connection is back', async (t) => {
    const { person, room, staff } = await customerTalks(browser, instance, 'anna');
    t.after(() => person.context.close());
    const tab = await secondTab(person, room.url(), CUSTOMER);
    await until(() => heldBy([room], 'conf_poll') === 1, 'the first tab leads');
    const mends = [await cutOff(room, '/cgi_bin/conf_poll'), await cutOff(tab, '/cgi_bin/conf_poll')];
    await say(instance, staff, 'ends the poll that is held');
    for (const page of [room, tab]) await says(page, '#lost', 'Connection lost.');
    for (const mend of mends) await mend();
    await room.reload();
    await disappears(tab, '#lost');
    await disappears(room, '#lost');
    await say(instance, staff, 'all is well');
    for (const page of [room, tab]) await textsOnceShown(page, 'all is well');
});
