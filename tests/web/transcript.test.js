/* transcript: what was said, as a page, as text and as JSON. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { act, allEvents, say, sendFile } from '../lib/people.js';
import { html, isError, isErrorPage, json, room, talk } from '../lib/wire.js';

const url = '/cgi_bin/transcript';
let instance, base;
before(async () => {
    instance = await startInstance({ settings: { site_name: 'Acme' } });
    ({ base } = instance);
});
after(() => instance.stop());

const transcript = (who, query = {}, options = {}) => get(base, url, { conf: who.conference, token: who.token, ...query },
    options);
const leave = (who) => post(base, '/cgi_bin/conf_post', { conf: who.conference, token: who.token, kind: 'leave' });
const formats = ['html', 'txt', 'json'];

test('format is html by default, txt or json, each with its type', async () => {
    const { customer } = await room(base);
    const types = { html: /^text\/html; *charset=utf-8$/i, txt: /^text\/plain; *charset=utf-8$/i, json: /^application\/json$/ };
    for (const [format, type] of Object.entries(types)) {
        const answer = await transcript(customer, { format });
        assert.equal(answer.status, 200, format);
        assert.match(answer.headers['content-type'], type);
    }
    for (const options of [{}, html]) assert.match((await transcript(customer, {}, options)).headers['content-type'], types.html);
    isError(await transcript(customer, { format: 'pdf' }, json), 'bad_parameter', 'format');
    isError(await get(base, url, { token: customer.token }, json), 'bad_parameter', 'conf');
});

test('each format has everything that was said, in order, with who said it', async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'anna', { name: 'Änn', question: 'Wo ist mein Paket?' });
    await say(instance, staff, 'Ich sehe nach.');
    await sendFile(instance, staff, 'beleg.pdf', 'application/pdf', '%PDF-1.7');
    await say(instance, customer, 'Danke \u{1f600}');
    await act(instance, agent, 'end', { conf: customer.conference });
    for (const who of [customer, staff]) {
        for (const format of formats) {
            const { body } = await transcript(who, { format });
            const at = ['Wo ist mein Paket?', 'Ich sehe nach.', 'beleg.pdf', 'Danke \u{1f600}'].map((text) => body.lastIndexOf(text));
            assert.ok(at.every((one, i) => one > (at[i - 1] ?? 0)), `${format}: ${at}`);
            assert.ok(body.includes('Änn') && body.includes('Anna'), format);
        }
        const { body } = await transcript(who, { format: 'txt' });
        assert.match(body, /^\d\d:\d\d {2}Änn: Wo ist mein Paket\?$/m);
        assert.match(body, /^\d\d:\d\d {2}Anna: Ich sehe nach\.$/m);
        assert.match(body, /^\d\d:\d\d {2}Anna: beleg\.pdf$/m);
        assert.match(body, /The conversation has ended/);
    }
});

test('the JSON has the events as a poll gives them', async () => {
    const { customer, agent } = await room(base);
    await say(instance, agent, 'one');
    await post(base, '/cgi_bin/conf_post', { conf: agent.conference, token: agent.token, kind: 'note', text: 'two' });
    for (const who of [customer, agent]) {
        const said = (await transcript(who, { format: 'json' })).json();
        assert.equal(said.conference, customer.conference);
        assert.deepEqual(said.events, await allEvents(instance, who));
    }
});

test("notes are in the staff's transcripts and never in the customer's", async () => {
    const { customer, agent } = await room(base);
    await post(base, '/cgi_bin/conf_post', { conf: agent.conference, token: agent.token, kind: 'note', text: 'angry customer' });
    await post(base, '/cgi_bin/conf_post', { conf: agent.conference, token: agent.token, kind: 'signal', to: customer.member,
        data: 'sdp' });
    for (const format of formats) {
        assert.doesNotMatch((await transcript(customer, { format })).body, /angry/, format);
        assert.match((await transcript(agent, { format })).body, /angry/, format);
    }
    for (const format of ['html', 'txt']) assert.doesNotMatch((await transcript(customer, { format })).body, /sdp/);
});

test('the page escapes what was said', async () => {
    const { customer, agent } = await room(base, { subject: '<b>subject</b>' });
    await say(instance, agent, '<script>alert(1)</script>');
    const page = await transcript(customer);
    assert.doesNotMatch(page.body, /<script>alert|<b>subject/);
    assert.match(page.body, /&lt;script&gt;alert/);
    assert.match(page.body, /<title>Transcript: &lt;b&gt;subject/);
});

test('a message cannot pass for a line of its own in the text', async () => {
    const { customer, agent } = await room(base);
    await say(instance, customer, 'hello\n12:00  Anna: I owe you a million');
    const { body } = await transcript(agent, { format: 'txt' });
    assert.doesNotMatch(body, /^12:00 {2}Anna: I owe/m);
    assert.match(body, /I owe you a million/);
});

test('more events than one poll gives are all in it', async () => {
    const { customer, agent } = await room(base);
    for (let i = 0; i < 24; i++) await Promise.all(Array.from({ length: 25 }, (_, n) => say(instance, agent, `<${i * 25 + n}>`)));
    const said = (await transcript(customer, { format: 'json' })).json();
    assert.equal(said.events.filter((one) => one.kind === 'message').length, 600);
    for (const format of ['html', 'txt']) assert.match((await transcript(customer, { format })).body, /599/);
});

test('it is for members, while it lasts and when it has ended', async () => {
    const { customer, id } = await room(base), other = await room(base);
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf: id, token: customer.token }));
    for (let round = 0; round < 2; round++) {
        assert.equal((await transcript(customer)).status, 200);
        assert.equal((await get(base, url, { conf: id }, { cookie })).status, 200);
        assert.equal((await get(base, url, { conf: id }, { bearer: customer.token })).status, 200);
        isError(await get(base, url, { conf: id }, json), 'unauthorized');
        isError(await get(base, url, { conf: id, token: other.customer.token }, json), 'unauthorized');
        isErrorPage(await get(base, url, { conf: id }, html), 401);
        await leave(customer);
    }
});
