/* conf_post: what a member says and does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post, request } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { act, allEvents, ask, confPoll } from '../lib/people.js';
import { html, isError, isErrorPage, join, json, room, talk } from '../lib/wire.js';

const url = '/cgi_bin/conf_post';
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const put = (who, kind, fields = {}, options = json) => post(base, url, { conf: who.conference, token: who.token, kind,
    ...fields }, options);
async function done(who, kind, fields) {
    const answer = await put(who, kind, fields);
    assert.equal(answer.status, 200, answer.body);
    return answer.json();
}
const kindsOf = async (who) => (await allEvents(instance, who)).map((one) => one.kind);

/* ── message ── */

test('a message answers its id, and is an event with that id', async () => {
    const { customer, agent } = await room(base), { id } = await done(customer, 'message', { text: 'Hello' });
    assert.ok(Number.isSafeInteger(id));
    for (const who of [customer, agent]) {
        const event = (await allEvents(instance, who)).at(-1);
        assert.deepEqual([event.id, event.kind, event.text, event.from.member], [id, 'message', 'Hello', customer.member]);
    }
});

test('a text is kept to the last character, up to 8,000 of them', async () => {
    const { customer } = await room(base);
    for (const text of ['x', ' kept  blanks ', 'two\nlines\r\nand a tab\t', '<script>alert("&")</script>',
        '\u{1f600}'.repeat(8000),
        'ß'.repeat(8000), '\u202eright to left', '漢\u0301']) {
        const { id } = await done(customer, 'message', { text });
        assert.equal((await confPoll(instance, customer, id - 1)).events[0].text, text);
    }
    for (const one of ['x', '\u{1f600}']) isError(await put(customer, 'message', { text: one.repeat(8001) }), 'bad_parameter',
        'text');
    isError(await put(customer, 'message', { text: '' }), 'bad_parameter', 'text');
    isError(await put(customer, 'message'), 'bad_parameter', 'text');
});

test('a text that nobody would see is refused', async () => {
    const { customer, agent } = await room(base), before = await kindsOf(agent);
    for (const text of ['', ' \n ', '\u00a0', '\u200b\u3000\ufeff']) {
        for (const [who, kind] of [[customer, 'message'], [agent, 'message'], [agent, 'note']]) {
            assert.match(isError(await put(who, kind, { text }), 'bad_parameter', 'text').reason, /text/);
        }
    }
    assert.deepEqual(await kindsOf(agent), before);
    await done(customer, 'message', { text: '\u00a0x' });
});

test('a repeat with the same nonce answers the first id and adds nothing, ten at once included', async () => {
    const { customer, agent } = await room(base), fields = { text: 'once', nonce: 'n'.repeat(64) };
    const ids = (await Promise.all(Array.from({ length: 10 }, () => done(customer, 'message', fields)))).map((one) => one.id);
    assert.equal(new Set(ids).size, 1);
    assert.equal((await done(customer, 'message', fields)).id, ids[0]);
    assert.equal((await kindsOf(agent)).filter((kind) => kind === 'message').length, 1);
    isError(await put(customer, 'message', { text: 'x', nonce: 'n'.repeat(65) }), 'bad_parameter', 'nonce');
    assert.equal((await done(customer, 'message', { ...fields, text: 'something else' })).id, ids[0], 'a repeat is a repeat');
    assert.equal((await kindsOf(agent)).filter((kind) => kind === 'message').length, 1);
});

test('a repeat of what was said before the end gets its answer after it; nothing new is taken', async () => {
    const { id, customer, leader } = await room(base), fields = { text: 'just in time', nonce: 'once' };
    const said = await done(customer, 'message', fields);
    const data = { conf: id, token: customer.token, nonce: 'a file', file: { name: 'a.txt', type: 'text/plain', data: 'a' } };
    const upload = (nonce) => request(base, 'POST', '/cgi_bin/file_put', { multipart: { ...data, nonce }, ...json });
    const sent = await upload('a file');
    await get(base, '/cgi_bin/vcs_conf_delete', { delete_vanity: leader });
    assert.deepEqual(await done(customer, 'message', fields), said);
    assert.deepEqual((await upload('a file')).json(), sent.json());
    isError(await put(customer, 'message', { text: 'late', nonce: 'twice' }), 'conflict', 'conf');
    isError(await put(customer, 'message', { text: 'late' }), 'conflict', 'conf');
    isError(await upload('another'), 'conflict', 'conf');
});

test('a nonce is unique for the member, not for the conference', async () => {
    const { customer, agent } = await room(base), fields = { text: 'mine', nonce: 'same' };
    const one = await done(customer, 'message', fields), two = await done(agent, 'message', fields);
    assert.notEqual(one.id, two.id);
    const other = await room(base);
    assert.notEqual((await done(other.customer, 'message', fields)).id, one.id);
});

test("every nonce is the client's own, whatever it is called", async (t) => {
    const customer = await ask(instance, { question: 'the first words' });
    t.after(() => done(customer, 'leave'));
    for (const nonce of ['joined', 'left', '0', 'null', 'message', ' spaced ', '\u{1f600}', "'; --"]) {
        const text = `with ${nonce}`, { id } = await done(customer, 'message', { text, nonce });
        assert.equal((await confPoll(instance, customer, id - 1)).events[0].text, text);
    }
});

test('without a nonce every message is a new one', async () => {
    const { customer } = await room(base), one = await done(customer, 'message', { text: 'x' });
    assert.notEqual((await done(customer, 'message', { text: 'x' })).id, one.id);
    assert.notEqual((await done(customer, 'message', { text: 'x', nonce: '' })).id, one.id);
});

/* ── the other kinds ── */

test('signal goes to the one whom it names, with its data', async () => {
    const { id, participant, customer, agent } = await room(base), other = await join(base, participant, id);
    const data = JSON.stringify({ type: 'offer', sdp: 'v=0\r\n'.repeat(1000) }), sent = await done(customer, 'signal',
        { to: agent.member, data });
    const event = (await allEvents(instance, agent)).at(-1);
    assert.deepEqual([event.id, event.kind, event.to, event.data], [sent.id, 'signal', agent.member, data]);
    assert.ok(!(await kindsOf(other)).includes('signal'));
    isError(await put(customer, 'signal', { data }), 'bad_parameter', 'to');
    isError(await put(customer, 'signal', { to: agent.member }), 'bad_parameter', 'data');
    const stranger = await room(base);
    for (const to of [stranger.agent.member, 9007199254740991]) isError(await put(customer, 'signal', { to, data }), 'not_found',
        'to');
});

test('rating has one to five stars and a text, and is taken when the talk is over', async () => {
    const { customer, agent } = await room(base);
    for (const stars of [0, 6, -1, 'x', '']) isError(await put(customer, 'rating', { stars }), 'bad_parameter', 'stars');
    for (const stars of [1, 5]) await done(customer, 'rating', { stars });
    await done(customer, 'leave');
    await done(customer, 'rating', { stars: 3, text: 'fine' });
    const rated = (await allEvents(instance, agent)).filter((one) => one.kind === 'rating');
    assert.deepEqual(rated.map((one) => one.stars), [1, 5, 3]);
    assert.equal(rated[2].text, 'fine');
});

test('note is for staff alone to write', async () => {
    const { customer, agent } = await room(base);
    isError(await put(customer, 'note', { text: 'x' }), 'forbidden', 'kind');
    await done(agent, 'note', { text: 'x' });
    isError(await put(agent, 'note'), 'bad_parameter', 'text');
    assert.ok((await kindsOf(agent)).includes('note') && !(await kindsOf(customer)).includes('note'));
});

test('call and callback say plainly that there are no telephones', async () => {
    const { customer } = await room(base), before = await kindsOf(customer);
    for (const kind of ['call', 'callback']) assert.match(isError(await put(customer, kind), 'unavailable').reason,
        /[Tt]elephone/);
    assert.deepEqual(await kindsOf(customer), before);
});

test('any other kind is 400', async () => {
    const { customer, agent } = await room(base);
    for (const kind of ['joined', 'left', 'queue', 'state', 'file', 'record', 'MESSAGE', 'x', '']) {
        for (const who of [customer, agent]) isError(await put(who, kind, { text: 'x' }), 'bad_parameter', 'kind');
    }
    isError(await post(base, url, { conf: customer.conference, token: customer.token }, json), 'bad_parameter', 'kind');
    isError(await post(base, url, { token: customer.token, kind: 'message', text: 'x' }, json), 'bad_parameter', 'conf');
});

/* ── the end ── */

test("the customer's leaving ends the wait", async () => {
    const customer = await ask(instance), { id } = await done(customer, 'leave');
    const { state, queue, events } = await confPoll(instance, customer);
    assert.deepEqual([state, queue], ['ended', null]);
    assert.equal(events.find((one) => one.kind === 'left').id, id);
    assert.deepEqual(events.filter((one) => one.kind === 'queue').map((one) => one.state), ['queued', 'abandoned']);
    const { invitations } = (await get(base, '/cgi_bin/queue', { action: 'list' })).json();
    assert.ok(!invitations.some((one) => one.conference === customer.conference));
});

test("the customer's leaving ends the talk, for all", async (t) => {
    const { customer, staff } = await talk(t, instance, 'anna');
    await done(customer, 'leave');
    assert.equal((await confPoll(instance, staff)).state, 'ended');
    isError(await put(staff, 'message', { text: 'x' }), 'conflict', 'conf');
});

test('leaving twice is leaving once, and leaving what has ended is no fault', async (t) => {
    const one = await ask(instance), first = await done(one, 'leave');
    assert.equal((await done(one, 'leave')).id, first.id);
    assert.equal((await kindsOf(one)).filter((kind) => kind === 'left').length, 1);
    const { agent, customer } = await talk(t, instance, 'anna');
    await act(instance, agent, 'end', { conf: customer.conference });
    const { id } = await done(customer, 'leave');
    assert.ok(Number.isSafeInteger(id));
});

test('solved says that the problem is, and ends it', async (t) => {
    const { customer, staff } = await talk(t, instance, 'anna'), { id } = await done(customer, 'solved');
    const events = await allEvents(instance, staff);
    assert.equal(events.find((one) => one.kind === 'solved').id, id);
    assert.equal((await confPoll(instance, staff)).state, 'ended');
});

test('when a conference has ended, what would be said in it is 409', async () => {
    const { customer, agent } = await room(base);
    await done(customer, 'leave');
    for (const [kind, fields] of [['message', { text: 'x' }], ['typing', {}], ['signal', { to: agent.member, data: 'x' }]]) {
        for (const who of [customer, agent]) isError(await put(who, kind, fields), 'conflict', 'conf');
    }
    await done(agent, 'note', { text: 'wrapped up' });
});

/* ── a browser ── */

test('a browser is sent back to its room with 303, with its token only where that was sent', async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    isErrorPage(await put(customer, 'message', { text: 'x', part: 'nonsense' }, html), 400);
    for (const part of ['', 'write', 'log', 'page']) {
        const answer = await put(customer, 'message', { text: 'x', part }, html);
        assert.equal(answer.status, 303);
        const to = new URL(answer.headers.location, base);
        assert.deepEqual([to.pathname, to.searchParams.get('conf'), to.searchParams.get('token')], ['/cgi_bin/conf_view', conf,
            token]);
        assert.equal(to.searchParams.get('part'), part || null);
    }
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf, token }));
    const { csrf } = (await get(base, '/cgi_bin/conf_poll', { conf, wait: 0 }, { cookie })).json();
    const answer = await post(base, url, { conf, kind: 'message', text: 'x', csrf, part: 'page' }, { cookie, ...html });
    assert.equal(answer.status, 303);
    assert.doesNotMatch(answer.headers.location, /token/);
    isErrorPage(await put(customer, 'message', {}, html), 400);
    isErrorPage(await post(base, url, { conf, kind: 'message', text: 'x' }, html), 401);
});

/* ── a browser without JavaScript ── */

test("an error's page leads back to the conversation, and does not begin a second one", async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf, token }));
    const back = (page) => /<a [^>]*href="([^"]*)">Go back to the conversation</.exec(page.body)?.[1].replaceAll('&amp;', '&');
    const here = `/cgi_bin/conf_view?conf=${conf}`;
    for (const [fields, options, wanted] of [[{ token, kind: 'call' }, {}, `${here}&token=${token}`],
        [{ token, kind: 'message', part: 'page' }, {}, `${here}&part=page&token=${token}`],
        [{ token, kind: 'message', text: 'x'.repeat(8001), part: 'write' }, {}, `${here}&part=write&token=${token}`],
        [{ kind: 'message', text: 'csrf is missing' }, { cookie }, here], [{ kind: 'message' }, { cookie }, here]]) {
        const page = await post(base, url, { conf, ...fields }, { ...html, ...options });
        isErrorPage(page, page.status);
        assert.equal(back(page), wanted, JSON.stringify(fields));
        assert.doesNotMatch(page.body, /form_submit/);
        assert.ok([200, 303].includes((await get(base, wanted, {}, { ...html, cookie })).status), 'it leads there');
    }
    for (const wrong of ['', '1server', '//evil.example/']) {
        const page = await post(base, url, { conf: wrong, kind: 'message' }, html);
        assert.equal(back(page), undefined);
        assert.match(page.body, /form_submit/, 'who is in none may begin one');
    }
});

test('an error that was found before the body was read leads back by the address that the browser came from', async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    const from = (Referer) => post(base, url, { conf, token, kind: 'message', text: 'x'.repeat(110000) }, { ...html,
        headers: { Referer } });
    const there = `/cgi_bin/conf_view?conf=${conf}&part=page`;
    assert.ok((await from(base + there)).body.includes(`href="${there.replace('&', '&amp;')}">Go back`));
    for (const other of [`http://evil.example${there}`, `${base}/cgi_bin/form_submit`]) {
        assert.doesNotMatch((await from(other)).body, /Go back/);
    }
});
