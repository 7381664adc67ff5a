/* Visits of which no request may fail, each request once: customers come by the form, or by a service's own calls as in the patent,
 * and are served at once; both write, a file goes over, whole or in pieces, and is read; the transcript is read, the visit is
 * rated and ended; the agent signs in anew. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/instance.js';
import { formOf, hashOf, questionOf } from './customer.js';
import { once } from './once.js';

const HOLD_S = 5, KEPT_TRIES = 10;

/* ── agents ── */

/* An agent works until `hall.isClosed`: accepts whatever he is offered, and hall.served() gives it as {staff, agent}. When `isTired`
 * is set he signs in anew. */
async function work(world, hall, login) {
    const mine = { login, isTired: true, seen: new Set(), token: null };
    const act = (action, fields, note = {}) => once(world, login, action, { ...note, ...fields }, 'agent_act',
        { form: { action, ...fields }, bearer: mine.token });
    mine.end = (conference) => act('end', { conf: conference });
    for (let after = 0; !hall.isClosed;) {
        if (mine.isTired) {
            const signed = await once(world, login, 'sign', {}, 'agent_sign', { form: { login, password: world.instance.password } });
            mine.isTired = false;
            mine.token = signed.answer.token;
            await act('ready', {});
        }
        const { answer } = await once(world, login, 'desk', {}, 'agent_poll', { query: { after, wait: 1 }, bearer: mine.token },
            { isKept: false });
        ({ after } = answer);
        for (const { reservation, conference } of answer.offers.filter((one) => !mine.seen.has(one.reservation))) {
            mine.seen.add(reservation);
            const accepted = await act('accept', { reservation }, { conference });
            hall.arrived(conference, { staff: accepted.answer, agent: mine });
        }
    }
}

/* Where agents and customers find each other. */
class Hall {
    constructor() {
        Object.assign(this, { isClosed: false, places: new Map() });
    }

    /* A promise with the agent of a conference. */
    served(conference) {
        if (!this.places.has(conference)) {
            const place = {};
            place.promise = new Promise((done) => { place.done = done; });
            this.places.set(conference, place);
        }
        return this.places.get(conference).promise;
    }

    arrived(conference, by) {
        this.served(conference);
        this.places.get(conference).done(by);
    }
}

/* ── how customers come: each gives {conference, token} ── */

/* On a machine that is busy with other things, where one of its calls takes over three seconds, a form is kept (202): then he asks
 * again, as his page does. checkVisits() looks whether it was for that. */
export async function byForm(world, n) {
    const ask = (how) => once(world, `customer ${n}`, 'ask', { n }, 'form_submit', { form: formOf(world, n) },
        { good: [200, 202], ...how });
    const asked = await ask();
    while (asked.status === 202 && asked.tries < KEPT_TRIES) {
        await sleep(1000);
        const { status, ended, answer } = await ask({ isKept: false });
        Object.assign(asked, { status, ended, answer, tries: asked.tries + 1 });
    }
    assert.equal(asked.status, 200, `customer ${n}, kept: ${JSON.stringify(asked.answer)}`);
    return asked.answer;
}

/* A service makes the room, puts it into the queue and brings the customer in, as form_submit does it; it may end it, too. */
async function byService(world, n) {
    const who = `service ${n}`, { name, phone, reqid } = formOf(world, n), subject = questionOf(world, n);
    const made = await once(world, who, 'schedule', {}, 'vcs_conf_schedule',
        { form: { conf_type: 'reservationless', subject, reqid } });
    const { id } = made.answer, code = (type) => made.answer.access.find((one) => one.type === type && one.code).code;
    const url = `${world.instance.base}/cgi_bin/vcs_call?action=add&&vanity=${code('leader')}&call_callid=${id}`;
    await once(world, who, 'queue', {}, 'queue', { form: { action: 'put', url, conf: id, name, phone, subject, reqid } });
    const listed = await once(world, who, 'list', {}, 'vcs', { query: { all_vanities: true } }, { isKept: false });
    assert.ok(JSON.stringify(listed.answer).includes(id), `${who} finds its conference in the list`);
    const asked = await once(world, who, 'ask', { n }, 'vcs_call',
        { form: { action: 'add', vanity: code('participant'), call_callid: id, name, reqid, text: subject } });
    asked.began = made.began; // he has stood in the queue since then
    asked.answer.token = asked.answer.member.token;
    return { ...asked.answer, remove: () => once(world, who, 'remove', { conf: id }, 'vcs_conf_delete',
        { form: { delete_vanity: code('leader') } }) };
}

/* ── what they do ── */

export const say = (world, who, member, text) => once(world, who, 'say', { text, conference: member.conference }, 'conf_post',
    { form: { conf: member.conference, token: member.token, kind: 'message', text, nonce: text } });

/* Reads from the beginning, with held polls while not `state.isHurried`, until nothing comes any more after `state.isOver`. What a
 * customer read is an entry of the history; `isWhole`: his conference has ended. The texts of the messages. */
export async function read(world, who, member, state, { isWhole, isKept }) {
    const events = [];
    for (let after = 0, page, isLast = false; !isLast || page.events.length; ({ after } = page)) {
        isLast = state.isOver; // what was on its way when it was over is read, too
        const query = { conf: member.conference, token: member.token, after, wait: state.isHurried ? 0 : HOLD_S };
        page = (await once(world, who, 'poll', {}, 'conf_poll', { query }, { isKept: false })).answer;
        events.push(...page.events.filter((one) => one.kind !== 'typing'));
    }
    if (isKept) world.history.add({ who, op: 'read', conference: member.conference, events: events.map((one) => one.id), isWhole });
    return events.filter((one) => one.kind === 'message').map((one) => one.text);
}

/* A file, whole or in three pieces, and what the other one then gets of it. */
async function sendFile(world, who, member, other, chance) {
    const data = Buffer.alloc(200 + chance.below(60000), `${chance.next()} `), name = `${who}.bin`;
    const parts = chance.chance(0.5) ? [0, Math.floor(data.length / 3), Math.floor(data.length / 2)] : [0];
    const note = { name, sha: hashOf(data), conference: member.conference, token: member.token };
    let sent;
    for (const [i, offset] of parts.entries()) {
        const piece = { name, type: 'application/octet-stream', data: data.subarray(offset, parts[i + 1]) };
        const place = parts.length > 1 ? { offset, total: data.length } : {};
        const isLast = i === parts.length - 1;
        sent = await once(world, who, isLast ? 'file' : 'piece', note, 'file_put',
            { multipart: { conf: member.conference, token: member.token, nonce: 'file', ...place, file: piece } });
        assert.equal(sent.answer.offset, parts[i + 1] ?? data.length, `${name}: what is there after a piece`);
    }
    const gotten = await once(world, who, 'get', {}, 'file_get', { query: { id: sent.answer.file, token: other.token } },
        { isKept: false });
    sent.gotten = hashOf(gotten.bytes);
}

/* What the two of them have of it on paper, and how the window looks. */
async function look(world, who, member, texts) {
    const { conference: conf, token } = member;
    const paper = await once(world, who, 'transcript', {}, 'transcript', { query: { conf, token, format: 'txt' } },
        { isKept: false });
    const window = await once(world, who, 'window', {}, 'conf_view',
        { query: { conf, part: 'log' }, bearer: token, accept: 'text/html' }, { isKept: false });
    for (const text of texts) for (const { answer } of [paper, window]) assert.ok(answer.includes(text), `'${text}' in ${answer}`);
}

/* The whole of a visit, from coming to the end. */
async function visit(world, hall, n, come) {
    const chance = world.random(`visit ${n}`), who = `customer ${n}`, state = { isHurried: false, isOver: false };
    const member = await (come ?? (chance.chance(0.4) ? byService : byForm))(world, n);
    const reading = read(world, who, member, state, { isWhole: true, isKept: true });
    reading.catch(() => {}); // it is awaited below, or something else has failed
    const { staff, agent } = await hall.served(member.conference), texts = [];
    for (let i = 0; i < 2; i++) {
        texts.push(`${who} says ${i} in ${world.seed}`, `${agent.login} says ${i} to ${n} in ${world.seed}`);
        await Promise.all([say(world, who, member, texts.at(-2)), say(world, agent.login, staff, texts.at(-1))]);
    }
    await sendFile(world, who, ...chance.chance(0.5) ? [member, staff] : [staff, member], chance);
    await look(world, who, member, texts);
    await once(world, who, 'rate', { conference: member.conference }, 'conf_post', { form: { conf: member.conference,
        token: member.token, kind: 'rating', stars: 1 + chance.below(5), nonce: 'rating' } });
    await (member.remove && chance.chance(0.5) ? member.remove() : agent.end(member.conference));
    Object.assign(state, { isHurried: true, isOver: true });
    agent.isTired = true;
    const heard = await reading;
    assert.deepEqual(texts.filter((text) => !heard.includes(text)), [], `${who} has heard everything`);
}

/* Opens the hall for the world's agents. visits.go(n): so many visits at a time, one after the other, until stop(); come(n, how): one
 * visit that begins with how(world, n). stop() waits for all; close() then sends the agents home. `broken`: rejected when anything
 * fails. */
export function startVisits(world) {
    const hall = new Hall(), state = { isOver: false, begun: 0, all: [] };
    const works = world.logins.map((login) => work(world, hall, login));
    const keep = (promise) => {
        promise.catch(() => { state.isBroken = true; }); // stop() throws it
        state.all.push(promise);
        return promise;
    };
    works.forEach((one) => one.catch(() => {}));
    const visitor = async (chance) => {
        for (; !state.isOver; state.begun++) {
            await visit(world, hall, world.begun++);
            await sleep(chance.between(0, 500));
        }
    };
    return {
        served: (conference) => Promise.race([hall.served(conference), ...works]),
        go: (atOnce) => Array.from({ length: atOnce }, (_, i) => keep(visitor(world.random(`visitor ${i}`)))),
        come: (n, how) => keep(visit(world, hall, n, how)),
        /* Whether so many have been there and gone, or one of them failed. */
        were: (count) => state.begun >= count || state.isBroken,
        async stop() {
            state.isOver = true;
            await Promise.race([Promise.all(state.all), Promise.all(works)]);
            return state.begun;
        },
        async close() {
            hall.isClosed = true;
            await Promise.all(works);
        },
    };
}

/* What check() knows nothing of: ratings, endings and sign-ins that were acknowledged are there once, and no call of form_submit or
 * `rtcc work` failed but for time, or for what the test itself did (`isMeant(line)`). [{kind, what}] */
export function checkVisits(world, isMeant = () => false) {
    const faults = world.instance.log().split('\n')
        .filter((line) => /^(form_submit|rtcc)\[\d+\]: \w+: http/.test(line) && !line.includes('Operation timed out') && !isMeant(line))
        .map((what) => ({ kind: 'call', what }));
    const count = (what, there, expected) => there === expected ||
        faults.push({ kind: there < expected ? 'lost' : 'doubled', what: `${what}: ${there}, not ${expected}` });
    const yes = (op) => world.history.of(op).filter((one) => one.status === 200), number = (name) => Number(name.slice(0, 15));
    const events = world.rows("SELECT id, conf, kind, data FROM event WHERE kind IN ('rating', 'state')");
    const ends = events.filter((one) => one.kind === 'state' && JSON.parse(one.data).state === 'ended');
    for (const { conf } of [...yes('end'), ...yes('remove')])
        count(`ends of ${conf}`, ends.filter((one) => one.conf === number(conf)).length, 1);
    for (const { conference, answer } of yes('rate')) {
        const found = events.filter((one) => one.kind === 'rating' && one.conf === number(conference));
        count(`ratings of ${conference}`, found.length, 1);
        count(`the rating ${answer.id}`, found.filter((one) => one.id === answer.id).length, 1);
    }
    count('sessions', world.rows('SELECT count(*) AS n FROM session')[0].n, yes('sign').length);
    return faults;
}
