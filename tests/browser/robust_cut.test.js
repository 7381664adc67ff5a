/* A dropped connection, a lost answer, a server that hangs, a killed program: the customer loses nothing, and nothing is doubled.
 * The agent speaks HTTP here. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CUSTOMER, allSent, appears, conferenceOf, customerTalks, cutOff, disappears, emptyQueue, fillForm, heldBy, launch, loseAnswers,
    newPerson, posted, roomOf, says, storedBy, textsOn, textsOnceShown, write } from '../lib/browser.js';
import { get, post } from '../lib/http.js';
import { startInstance, until } from '../lib/instance.js';
import { act, say } from '../lib/people.js';

let instance, browser;

before(async () => {
    instance = await startInstance();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await instance?.stop();
});

/* A conversation that lasts as long as the test. */
async function talk(t) {
    const all = await customerTalks(browser, instance, 'anna');
    t.after(async () => {
        await all.person.context.close();
        await act(instance, all.agent, 'end', { conf: all.staff.conference });
    });
    return all;
}

test('a dropped connection shows the next try; what is written then is kept over a reload and sent in order', async (t) => {
    const { room, staff } = await talk(t);
    const mend = await cutOff(room, '/cgi_bin/conf_p');
    const seconds = async () => Number(/Trying again in (\d+) s\./.exec(await says(room, '#lost', 'Trying again in'))[1]);
    for (const text of ['first', 'second', 'third']) await write(room, CUSTOMER, text);
    await say(instance, staff, 'meanwhile');
    await says(room, '#lost', 'Connection lost. Your messages are kept.');
    await until(async () => await seconds() > 1, 'there is time before the next try');
    const left = await seconds();
    await until(async () => await seconds() < left, 'the seconds are counted down');
    await says(room, 'li.pending', 'Not sent yet.');
    await room.reload();
    await says(room, '#lost', 'Connection lost.');
    assert.deepEqual((await textsOn(room)).slice(-3), ['first', 'second', 'third']);
    assert.equal((await room.$$('li.pending')).length, 3);
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'meanwhile'], 'nothing has come through');
    await mend();
    await room.evaluate(() => document.querySelector('#lost button').click());
    await disappears(room, '#lost');
    await allSent(room);
    const whole = ['My box was open.', 'meanwhile', 'first', 'second', 'third'];
    assert.deepEqual(await storedBy(instance, staff), whole);
    assert.deepEqual(await textsOn(room), whole);
});

test('a computer that is online again goes on at once', async (t) => {
    const { room, staff } = await talk(t);
    await room.setOfflineMode(true);
    await write(room, CUSTOMER, 'in the tunnel');
    await appears(room, '#lost');
    const line = () => room.$eval('#lost', (banner) => banner.textContent);
    await until(async () => /in ([5-9]|\d\d) s/.test(await line()), 'it waits long by now', 20000);
    await say(instance, staff, 'still there?');
    await room.setOfflineMode(false);
    const online = Date.now();
    await disappears(room, '#lost');
    await textsOnceShown(room, 'still there?');
    await allSent(room);
    assert.ok(Date.now() - online < 4000, `it took ${Date.now() - online} ms`);
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'still there?', 'in the tunnel']);
});

test('an answer that is lost after the server took the message doubles nothing', async (t) => {
    const { room, staff } = await talk(t);
    const mend = await loseAnswers(room, 'text=only+once', 2);
    await write(room, CUSTOMER, 'only once');
    await write(room, CUSTOMER, 'after it');
    await allSent(room);
    await mend();
    const sent = posted(room, 'text=only+once');
    assert.equal(sent.length, 3, 'two answers were lost');
    assert.equal(new Set(sent.map((request) => new URLSearchParams(request.postData()).get('nonce'))).size, 1);
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'only once', 'after it']);
    assert.deepEqual(await textsOn(room), ['My box was open.', 'only once', 'after it']);
});

test('a message that the server is still holding when the page is reloaded arrives once', async (t) => {
    const { room, staff } = await talk(t);
    const programs = instance.processes('conf_post').map(({ pid }) => pid);
    assert.ok(programs.length);
    const signal = (name) => programs.forEach((pid) => process.kill(pid, name));
    t.after(() => signal('SIGCONT'));
    signal('SIGSTOP');
    for (const text of ['first', 'second']) await write(room, CUSTOMER, text);
    await until(() => posted(room, 'text=first').length === 1, 'the first one is on its way');
    await room.reload();
    await until(() => posted(room, 'text=first').length === 2, 'it is sent again');
    assert.deepEqual(await textsOn(room), ['My box was open.', 'first', 'second']);
    signal('SIGCONT');
    await allSent(room);
    assert.deepEqual(await storedBy(instance, staff), ['My box was open.', 'first', 'second']);
    assert.deepEqual(await textsOn(room), ['My box was open.', 'first', 'second']);
});

/* As a web server says it of a program that died, in words of its own: Apache 500 or 502, nginx 502 or 504. */
for (const status of [500, 502, 503, 504]) {
    test(`a form that the web server answers with ${status} is sent anew by the page, and its customer is in his room`, async (t) => {
        const person = await newPerson(browser), { page } = person, refused = [];
        t.after(async () => {
            await person.context.close();
            await emptyQueue(instance);
        });
        await page.goto(`${instance.base}/cgi_bin/form_submit`);
        await fillForm(page);
        await page.setRequestInterception(true);
        page.on('request', (request) => {
            if (request.method() !== 'POST' || refused.length) return request.continue();
            refused.push(new URLSearchParams(request.postData()).get('reqid'));
            return request.respond({ status, contentType: 'text/html', body: '<h1>It does not work</h1>' });
        });
        const room = await roomOf(person);
        assert.deepEqual(await textsOnceShown(room, 'My box was open.'), ['My box was open.']);
        await says(page, '#opened', 'Your conversation is open in its own window');
        const { invitations } = (await get(instance.base, '/cgi_bin/queue', { action: 'list' })).json();
        assert.deepEqual(invitations.map(({ conference }) => conference), [conferenceOf(room)]);
        assert.deepEqual(refused, [await page.$eval('[name=reqid]', (field) => field.value)], 'it was sent anew as the same form');
    });
}

test('a rating that arrives just after the page was drawn anew is thanked for', async (t) => {
    const { room, agent, staff } = await talk(t), conf = staff.conference;
    await act(instance, agent, 'end', { conf });
    await appears(room, '#rating');
    const token = (await room.cookies()).find((one) => one.value.startsWith('m_')).value;
    const programs = instance.processes('conf_poll').map(({ pid }) => pid);
    const signal = (name) => programs.forEach((pid) => process.kill(pid, name));
    t.after(() => signal('SIGCONT'));
    signal('SIGSTOP');
    await room.reload();
    await appears(room, '#rating');
    const rated = await post(instance.base, '/cgi_bin/conf_post', { conf, token, kind: 'rating', stars: 5, nonce: 'rated' });
    assert.equal(rated.status, 200, rated.body);
    signal('SIGCONT');
    await says(room, '#ended', 'Thank you for your rating.');
});

test('programs and web server that are killed lose nothing', async (t) => {
    const { room, staff } = await talk(t);
    const whole = ['My box was open.'];
    for (const name of ['conf_poll', 'conf_post', 'nginx']) {
        await until(() => heldBy([room], 'conf_poll') === 1, 'the poll is held');
        const programs = instance.processes(name);
        assert.ok(programs.length, name);
        for (const { pid } of programs) process.kill(pid, 'SIGKILL');
        await write(room, CUSTOMER, `without ${name}`);
        await allSent(room);
        await until(async () => (await get(instance.base, '/cgi_bin/status').catch(() => ({}))).status === 200, 'all is back');
        await say(instance, staff, `with ${name}`);
        whole.push(`without ${name}`, `with ${name}`);
        assert.deepEqual(await textsOnceShown(room, `with ${name}`), whole);
    }
    await disappears(room, '#lost');
    assert.deepEqual(await storedBy(instance, staff), whole);
});
