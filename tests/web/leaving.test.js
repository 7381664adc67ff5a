/* Who leaves a conversation that goes on without him: for him it is over, until he comes in again by the same link. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post } from '../lib/http.js';
import { buildFolder, plant, sleep, startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, confPoll, say, sendFile, waitForOffer } from '../lib/people.js';
import { html, isError, isErrorPage, join, json, onDuty, room, rtcc, schedule, talk } from '../lib/wire.js';

let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const put = (who, kind, fields = {}) => post(base, '/cgi_bin/conf_post', { conf: who.conference, token: who.token, kind, ...fields }, json);
const leaves = async (who) => assert.equal((await put(who, 'leave')).status, 200);
const comes = async (who, query = {}) => {
    const answer = await get(base, '/cgi_bin/vcs_call', { call_callid: who.conference, token: who.token, ...query }, json);
    assert.equal(answer.status, 200, answer.body);
    return answer.json();
};
const lastKinds = async (who, count) => (await allEvents(instance, who)).slice(-count).map((one) => [one.kind, one.from.member]);
const withGuest = async () => {
    const all = await room(base);
    return { ...all, guest: await join(base, all.participant, all.id, { name: 'Third' }) };
};

test('a guest who left is told that it is over, at once and in every view, and the others go on', async () => {
    const { customer, agent, guest } = await withGuest();
    await leaves(guest);
    const began = Date.now(), { after: seen } = await confPoll(instance, guest);
    assert.equal((await confPoll(instance, guest, seen, 20)).state, 'ended');
    assert.ok(Date.now() - began < 5000, 'he waits for nothing');
    for (const part of [undefined, 'page']) {
        const page = await get(base, '/cgi_bin/conf_view', { conf: guest.conference, part }, { bearer: guest.token, ...html });
        assert.match(page.body, /The conversation has ended/);
        assert.doesNotMatch(page.body, /<textarea[^>]* id="text"/, 'nothing to write into');
    }
    isError(await put(guest, 'message', { text: 'x' }), 'conflict', 'conf');
    await say(instance, customer, 'We go on.');
    assert.equal((await confPoll(instance, customer)).state, 'talking');
    assert.equal((await allEvents(instance, agent)).at(-1).text, 'We go on.');
});

test('who left does not go on reading in silence: what is said and sent from then on is for those who are there', async () => {
    const { customer, agent, guest } = await withGuest(), views = (who) => Promise.all([confPoll(instance, who).then((poll) => JSON.stringify(poll)),
        ...['html', 'txt', 'json'].map((format) => get(base, '/cgi_bin/transcript', { conf: who.conference, token: who.token, format })
            .then(({ body }) => body)),
        ...['page', 'log'].map((part) => get(base, '/cgi_bin/conf_view', { conf: who.conference, token: who.token, part }, html)
            .then((answer) => answer.status === 303 ? get(base, answer.headers.location, {}, { ...html, cookie: cookiesOf(answer) }) : answer)
            .then(({ body }) => body))]);
    const before = await sendFile(instance, agent, 'before.txt', 'text/plain', 'x');
    await leaves(guest);
    await say(instance, customer, 'Nobody else hears this.');
    const secret = await sendFile(instance, agent, 'secret.txt', 'text/plain', 'x'), file = (id) => get(base, '/cgi_bin/file_get',
        { id, token: guest.token });
    for (const seen of await views(guest)) assert.doesNotMatch(seen, /Nobody else hears|secret\.txt/);
    for (const seen of (await views(guest)).slice(0, 4)) assert.match(seen, /before\.txt/, 'what was before he may keep');
    assert.equal((await file(before.file)).status, 200);
    const [late, none] = [await file(secret.file), await file(987654321)];
    assert.deepEqual([late.status, late.body], [none.status, none.body], 'as if there were none');
    assert.equal(late.status, 401);
    const { after: cursor } = await confPoll(instance, guest), { events } = await confPoll(instance, guest, 0);
    assert.equal(events.at(-1).kind, 'left');
    assert.equal((await confPoll(instance, guest, cursor)).events.length, 0);
    assert.match((await views(customer))[0], /Nobody else hears/);
    await comes(guest);
    for (const seen of (await views(guest)).slice(0, 4)) assert.match(seen, /Nobody else hears/, 'who is back sees what was missed');
    await leaves(guest);
    await leaves(customer);
    for (const seen of (await views(customer)).slice(0, 1)) assert.match(seen, /"state":"ended"/, 'who ends it sees that');
});

test('a poll of his that waits is told that it is over for him', async () => {
    const { customer, guest } = await withGuest(), { after: seen } = await confPoll(instance, guest);
    const waits = confPoll(instance, guest, seen, 20);
    await Promise.all([leaves(guest), ...Array.from({ length: 5 }, (_, i) => say(instance, customer, `Behind him ${i}`))]);
    const { state, events } = await waits, more = await confPoll(instance, guest, seen);
    for (const poll of [events, more.events])
        assert.ok(poll.every((one, i) => one.kind !== 'left' || i === poll.length - 1), 'his leaving is the last');
    assert.equal(events.at(-1).kind === 'left' ? state : more.state, 'ended');
});

test('who left has no place in the queue when the others wait again', async (t) => {
    const { customer, staff } = await talk(t, instance, 'anna'), code = new URL(staff.join_url).searchParams.get('vanity') - 1;
    const guest = await join(base, String(code).padStart(7, '0'), customer.conference, { name: 'Third' });
    await leaves(guest);
    await leaves(staff);
    const [theirs, his] = [await confPoll(instance, customer), await confPoll(instance, guest)];
    assert.deepEqual([theirs.state, theirs.queue.position], ['waiting', 1]);
    assert.deepEqual([his.state, his.queue], ['ended', null]);
});

test('an agent who left hears at his desk how it was until then', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), room = (await agentPoll(instance, agent)).conferences[0];
    const { after: seen } = await agentPoll(instance, agent), staff = { conference: customer.conference, token: room.token };
    await leaves(staff);
    await say(instance, customer, 'Where are you?');
    const heard = (await agentPoll(instance, agent, seen)).events.filter((one) => one.conference === customer.conference);
    assert.ok(heard.some((one) => one.kind === 'left'));
    assert.ok(!heard.some((one) => one.text === 'Where are you?'));
});

test('by his token, or by the code in the same browser, he comes in again as who he was', async () => {
    const { customer, guest, participant } = await withGuest();
    const { headers } = await get(base, '/cgi_bin/conf_view', { conf: guest.conference, token: guest.token }, html);
    const cookie = cookiesOf({ headers });
    for (const again of [() => comes(guest), () => comes(guest, { vanity: participant }),
        () => get(base, `/call/${participant}`, {}, { cookie, ...json }).then((answer) => answer.json())]) {
        await leaves(guest);
        const back = await again();
        assert.deepEqual([back.state, back.member.id, back.member.token], ['joined', guest.member, guest.token]);
        assert.deepEqual(await lastKinds(customer, 2), [['left', guest.member], ['joined', guest.member]]);
        await say(instance, guest, 'I am back.');
        assert.equal((await confPoll(instance, guest)).state, 'talking');
    }
    const before = (await allEvents(instance, customer)).length;
    assert.equal((await comes(guest)).state, 'joined');
    assert.equal((await allEvents(instance, customer)).length, before, 'who is there is not told again');
});

test('an agent who left comes back by an offer only', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), room = (await agentPoll(instance, agent)).conferences[0];
    const staff = { conference: customer.conference, token: room.token };
    await leaves(staff);
    assert.equal((await comes(staff)).state, 'ended');
    assert.equal((await lastKinds(customer, 20)).filter(([kind]) => kind === 'joined').length, 2, 'the customer and she, once each');
    for (const kind of ['note', 'solved', 'message']) isError(await put(staff, kind, { text: 'x' }), 'conflict', 'conf');
});

test('a guest who left may say how it was, once, and so go on talking to nobody', async () => {
    const { customer, guest } = await withGuest(), rate = (fields) => put(guest, 'rating', { stars: 4, ...fields });
    await leaves(guest);
    const first = await rate({ text: 'Good.', nonce: 'one' });
    assert.equal(first.status, 200);
    assert.deepEqual((await rate({ text: 'Good.', nonce: 'one' })).json(), first.json(), 'the same again');
    isError(await rate({ text: 'And another thing:' }), 'conflict', 'kind');
    const page = await get(base, '/cgi_bin/conf_view', { conf: guest.conference, part: 'page' }, { bearer: guest.token, ...html });
    assert.match(page.body, /Thank you for your rating/);
    assert.doesNotMatch(page.body, /name="stars"/, 'his page does not ask him again');
    assert.equal((await lastKinds(customer, 20)).filter(([kind]) => kind === 'rating').length, 1);
});

test('a repeat of what solved his problem does not throw out a guest who has come back since', async () => {
    const { guest } = await withGuest(), solved = await put(guest, 'solved', { nonce: 'done' });
    assert.equal(solved.status, 200);
    assert.equal((await comes(guest)).state, 'joined');
    assert.deepEqual((await put(guest, 'solved', { nonce: 'done' })).json(), solved.json());
    assert.notEqual((await confPoll(instance, guest)).state, 'ended');
});

test('a late repeat of an earlier one does not either, nor does one under the nonce of something else', async () => {
    const { guest, customer } = await withGuest(), answers = [];
    for (const nonce of ['first', 'second']) {
        answers.push((await put(guest, 'solved', { nonce })).json());
        assert.equal((await comes(guest)).state, 'joined');
    }
    answers.push((await put(guest, 'message', { nonce: 'said', text: 'x' })).json());
    for (const [i, nonce] of ['first', 'second', 'said'].entries()) {
        assert.deepEqual((await put(guest, 'solved', { nonce })).json(), answers[i]);
        assert.notEqual((await confPoll(instance, guest)).state, 'ended', nonce);
    }
    const kinds = (await allEvents(instance, customer)).map((one) => one.kind);
    assert.equal(kinds.filter((kind) => kind === 'solved').length, 2);
    assert.equal((await put(guest, 'solved', { nonce: 'third' })).status, 200);
    assert.equal((await confPoll(instance, guest)).state, 'ended');
});

test('an agent who left and is offered the customer again takes him by the link, also with the cookie of that room', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), room = (await agentPoll(instance, agent)).conferences[0];
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf: customer.conference, token: room.token }, html));
    plant(instance, 'UPDATE reservation SET boot_ms = boot_ms - 60000'); // a minute goes by
    await leaves({ conference: customer.conference, token: room.token });
    const offer = await waitForOffer(instance, agent, customer.conference), link = new URL(offer.join_url);
    const { state } = (await get(base, `${link.pathname}${link.search}`, {}, { cookie, bearer: agent.token, ...json })).json();
    assert.equal(state, 'joined');
    assert.equal((await confPoll(instance, customer)).state, 'talking');
    assert.deepEqual((await agentPoll(instance, agent)).offers, []);
});

test('who left does not see in the list who came behind him', async () => {
    const { customer, guest, participant } = await withGuest(), list = async (who) => (await get(base, '/cgi_bin/vcs_call',
        { action: 'list', call_callid: who.conference, token: who.token }, json)).body;
    await leaves(guest);
    await sleep(5);
    await join(base, participant, customer.conference, { name: 'Later Person' });
    assert.match(await list(customer), /Later Person/);
    assert.doesNotMatch(await list(guest), /Later Person/);
});

test('when the conference has ended, nobody is joined to it', async () => {
    const { id, participant, customer, guest } = await withGuest();
    await leaves(customer); // it was his
    for (const who of [customer, guest]) {
        assert.equal((await comes(who)).state, 'ended');
        isError(await put(who, 'message', { text: 'x' }), 'conflict', 'conf');
    }
    assert.equal((await put(guest, 'rating', { stars: 5 })).status, 200, 'what is for the end is taken still');
    isError(await get(base, '/cgi_bin/vcs_call', { vanity: participant, call_callid: id }, json), 'not_found', 'vanity');
});

test('a room takes five hundred; its agent is still counted when one of them leaves', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance, { name: 'Host' });
    const offer = await waitForOffer(instance, agent, customer.conference), staff = await accept(instance, agent, offer);
    const code = String(new URL(offer.join_url).searchParams.get('vanity') - 1).padStart(7, '0'); // the participants'
    const enter = (name) => post(base, '/cgi_bin/vcs_call', { vanity: code, call_callid: customer.conference, name }, json);
    const guests = [];
    for (let i = 0; i < 498; i++) {
        const answer = await enter(`Guest ${i}`);
        assert.equal(answer.status, 200, answer.body);
        guests.push({ conference: customer.conference, token: answer.json().member.token });
    }
    isError(await enter('One too many'), 'conflict', null);
    await leaves(guests[0]);
    isError(await enter('Still'), 'conflict', null);
    assert.equal((await confPoll(instance, customer)).state, 'talking');
    const { invitations } = (await get(base, '/cgi_bin/queue', { action: 'list' })).json();
    assert.ok(!invitations.some((one) => one.conference === customer.conference), 'nobody else is called');
    await say(instance, staff, 'Here I am.');
    assert.equal((await comes(guests[0])).state, 'joined', 'who was in comes in again');
    const scheduled = await schedule(base), sam = await join(base, scheduled.leader, scheduled.id);
    assert.equal(sam.role, 'leader');
});

test('the ticket of an agent who was disabled opens nothing', async (t) => {
    const { agent, customer } = await talk(t, instance, 'ben'), room = (await agentPoll(instance, agent)).conferences[0];
    const { headers } = await get(base, '/cgi_bin/conf_view', { conf: customer.conference, token: room.token }, html);
    const ticket = new URL(headers.location, base).searchParams.get('ticket');
    const open = (part) => get(base, '/cgi_bin/conf_view', { conf: customer.conference, ticket, part }, html);
    assert.equal((await open()).status, 200);
    const run = (command) => rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['agent', command, 'ben']);
    assert.equal((await run('disable')).status, 0);
    try {
        for (const part of [undefined, 'page', 'log', 'write']) isErrorPage(await open(part), 401);
    } finally {
        await run('enable');
    }
});

test("what an agent's session opens leads on by the room's token, never by the session's", async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna');
    for (let i = 0; i < 90; i++) await say(instance, customer, `${'x'.repeat(7000)} ${i}`);
    const asked = { conf: customer.conference }, as = { bearer: agent.token };
    for (const format of ['json', 'txt', 'html']) {
        const { body } = await get(base, '/cgi_bin/transcript', { ...asked, format }, as);
        const next = /\/cgi_bin\/transcript\?[^"\s]*after=[^"\s]*/.exec(body)[0].replaceAll('&amp;', '&');
        assert.doesNotMatch(body, new RegExp(agent.token), format);
        assert.equal((await get(base, next)).status, 200, next);
    }
    for (const part of ['page', 'log', 'write']) {
        const { status, body } = await get(base, '/cgi_bin/conf_view', { ...asked, part }, { ...as, ...html });
        assert.equal(status, 200);
        assert.doesNotMatch(body, new RegExp(agent.token), part);
        assert.match(body, /m_\d+_/, 'a token that its forms carry');
    }
    assert.equal((await get(base, '/cgi_bin/transcript', asked, { ...as, ...json })).json().conference, customer.conference,
        'JSON where Accept asks for it');
    await act(instance, agent, 'end', asked);
});
