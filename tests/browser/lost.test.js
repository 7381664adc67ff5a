/* An agent whose connection is gone for longer than his customer should wait: what both see, and what they find when he is back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AGENT, CUSTOMER, appears, clickButton, conferenceOf, cutOff, disappears, launch, newPerson, openReadyDesk, openRoom,
    says, setStatus, textsOnceShown, write } from '../lib/browser.js';
import { post } from '../lib/http.js';
import { plant, startInstance } from '../lib/instance.js';
import { accept, act, readyAgent, say, waitForOffer } from '../lib/people.js';

let instance, browser;
before(async () => {
    instance = await startInstance({ settings: { hold_s: 1, gone_s: 2 } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A customer and an agent, both in browsers, whose connection is gone once they have talked, until the customer waits again. */
async function cut(t) {
    const people = [await newPerson(browser), await newPerson(browser)], [ann, agent] = people, desk = agent.page;
    t.after(() => Promise.all(people.map((person) => person.context.close())));
    await openReadyDesk(agent, instance, 'anna');
    const room = await openRoom(ann, instance.base, { name: 'Ann' });
    await clickButton(desk, 'Accept');
    await write(desk, AGENT, 'Hello Ann');
    await textsOnceShown(room, 'Hello Ann');
    const mend = await cutOff(desk, '/cgi_bin/');
    await write(desk, AGENT, 'I look it up');
    await says(room, 'ol.log', 'Anna left');
    await says(room, '#queue', 'Number 1 in the queue');
    return { desk, room, reconnect: async () => {
        await mend();
        await desk.evaluate(() => document.querySelector('#lost button')?.click());
        await disappears(desk, '#lost');
    } };
}

test('the customer sees that he waits; when nobody has taken him the agent goes on, with what he had written meanwhile', async (t) => {
    const { desk, room, reconnect } = await cut(t);
    await reconnect();
    await textsOnceShown(room, 'I look it up');
    await says(room, '#queue', 'A person is with you');
    assert.equal(await desk.$eval('.talk:not([hidden]) .ended', (panel) => panel.hidden), true);
    await write(desk, AGENT, 'Here it is');
    assert.deepEqual((await textsOnceShown(room, 'Here it is')).slice(-2), ['I look it up', 'Here it is']);
    await setStatus(desk, 'notready break');
});

test('when another has taken him, the desk says so; when she has him again, it shows what was said meanwhile', async (t) => {
    const { desk, room, reconnect } = await cut(t);
    const ben = await readyAgent(instance, 'ben'), staff = await accept(instance, ben, await waitForOffer(instance, ben, conferenceOf(room)));
    await say(instance, staff, 'This is Ben.');
    await reconnect();
    await appears(desk, '.talk:not([hidden]) .ended');
    await says(desk, '.talk:not([hidden]) .ended', 'You are in this conversation no more.');
    const texts = await textsOnceShown(room, 'This is Ben.');
    assert.ok(!texts.includes('I look it up'));
    await says(room, '#queue', 'A person is with you');

    await write(room, CUSTOMER, 'Thank you, Ben.');
    await act(instance, ben, 'notready');
    await post(instance.base, '/cgi_bin/conf_post', { conf: staff.conference, token: staff.token, kind: 'leave' });
    plant(instance, 'UPDATE reservation SET boot_ms = boot_ms - 60000'); // a minute goes by: she is not spared him any more
    await setStatus(desk, 'ready');
    await clickButton(desk, 'Accept');
    const told = (await textsOnceShown(desk, 'Thank you, Ben.')).filter((text) => text !== 'I look it up');
    assert.deepEqual(told.slice(-3), ['Hello Ann', 'This is Ben.', 'Thank you, Ben.']);
    await write(desk, AGENT, 'It is me again.');
    await textsOnceShown(room, 'It is me again.');
    await setStatus(desk, 'notready break');
});
