/* Holds a history against what the database has at the end. Every fault found is {kind, what}; none means that the promises of
 * tests/fault/README.md were kept in this run. Nothing here knows how the programs work: what was acknowledged is compared with
 * what is there, and the order with the order in which it was asked. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { questionOf } from './customer.js';

const REFUSED_MS = 20000; // who let a customer go is not offered him again for so long

const groupBy = (list, key) => {
    const groups = new Map();
    for (const one of list) {
        const name = key(one);
        if (!groups.has(name)) groups.set(name, []);
        groups.get(name).push(one);
    }
    return groups;
};

/* Everything that the checks read. */
function readAll(world) {
    const keys = { conference: 'id', invitation: 'id', reservation: 'id', member: 'id', event: 'id', file: 'id', request: 'reqid', job: 'key' };
    const tables = Object.fromEntries(Object.entries(keys).map(([name, key]) =>
        [name, world.rows(`SELECT * FROM ${name} ORDER BY ${key}`)]));
    tables.eventsOf = groupBy(tables.event, (event) => event.conf);
    tables.invitationsOf = groupBy(tables.invitation, (one) => one.conf);
    tables.membersOf = groupBy(tables.member, (one) => one.conf);
    tables.conferencesOf = groupBy(tables.conference, (one) => one.subject);
    return tables;
}

const isOfForm = (conference) => conference.account.startsWith('key:'); // else somebody booked it
const numberOf = (name) => Number(name.slice(0, 15));

/* ── forms ── */

const customersOf = (tables, conference) =>
    (tables.membersOf.get(conference.id) ?? []).filter((one) => one.role === 'customer');

/* A room that ended before its customer came (an agent found nobody in it) is followed by another: then they are not at once. */
function areAtOnce(tables, conferences) {
    const [...inTurn] = conferences.sort((a, b) => a.created_at - b.created_at);
    return inTurn.some((one, i) => i < inTurn.length - 1 &&
        (customersOf(tables, one).length > 0 || !one.ended_at || one.ended_at > inTurn[i + 1].created_at));
}

function checkForm(world, tables, asked, fault) {
    const found = tables.conferencesOf.get(questionOf(world, asked.n)) ?? [];
    const isAcknowledged = asked.status === 200 || asked.kept !== undefined;
    if (isAcknowledged && found.length === 0) fault('lost', `form ${asked.n} was acknowledged, its conference is not there`);
    if (areAtOnce(tables, found)) fault('doubled', `form ${asked.n} has ${found.length} conferences`);
    if (asked.status === 200 && !found.some((one) => one.id === numberOf(asked.answer.conference)))
        fault('lost', `form ${asked.n} was told of a conference that is not there`);
    if (asked.status === null && asked.isPatient) fault('stuck', `form ${asked.n} was never answered`);
    if (asked.status !== 200 && asked.status !== null) fault('refused', `form ${asked.n}: ${asked.status}`);
}

function checkConference(tables, conference, fault) {
    const invitations = tables.invitationsOf.get(conference.id) ?? [], question = conference.subject;
    const customers = customersOf(tables, conference);
    const firsts = (tables.eventsOf.get(conference.id) ?? []).filter((one) => one.kind === 'message' && one.text === question);
    if (invitations.length === 0) fault('orphan', `conference ${conference.id} ('${question}') has no invitation`);
    if (invitations.length > 1) fault('doubled', `conference ${conference.id} has ${invitations.length} invitations`);
    const isFollowed = customers.length === 0 && conference.ended_at && tables.conferencesOf.get(question)
        .some((one) => one.created_at >= conference.ended_at);
    const isOne = (found, what) => found.length === 1 || isFollowed ||
        fault(found.length ? 'doubled' : 'lost', `'${question}': ${what} ${found.length} times`);
    isOne(customers, 'the customer is there');
    isOne(firsts, 'it is said');
    if (!conference.ended_at) fault('stuck', `conference ${conference.id} has not ended`);
    for (const one of invitations) if (['queued', 'offered'].includes(one.state)) fault('stuck', `invitation ${one.id} waits`);
}

/* ── messages, files ── */

function checkMessages(world, tables, fault) {
    const texts = groupBy(tables.event.filter((one) => one.kind === 'message'), (one) => one.text);
    for (const said of world.history.of('say')) {
        const found = texts.get(said.text) ?? [];
        if (said.status === 200 && !found.some((one) => one.id === said.answer.id)) fault('lost', `'${said.text}'`);
        if (found.length > 1) fault('doubled', `'${said.text}' ${found.length} times`);
        if (said.status === 409 && found.length) fault('wrong', `'${said.text}' was refused, and is there`);
        if (said.status === null) fault('stuck', `'${said.text}' was never answered`);
        else if (![200, 409].includes(said.status)) fault('wrong', `'${said.text}': ${said.status}`);
    }
}

function checkFiles(world, tables, fault) {
    for (const sent of world.history.of('file')) {
        const rows = tables.file.filter((one) => one.name === sent.name);
        const events = (tables.eventsOf.get(numberOf(sent.conference)) ?? []).filter((one) => one.kind === 'file');
        if (rows.length > 1 || events.length > 1) fault('doubled', `${sent.name}: ${rows.length} rows, ${events.length} events`);
        if (sent.status === 409 && events.length) fault('wrong', `${sent.name} was refused, and is there`);
        if (sent.status === null) fault('stuck', `${sent.name} was never answered`);
        else if (![200, 409].includes(sent.status)) fault('wrong', `${sent.name}: ${sent.status}`);
        if (sent.status !== 200) continue;
        if (rows[0]?.event !== sent.answer.event || events[0]?.id !== sent.answer.event) fault('lost', sent.name);
        if (sent.gotten !== sent.sha) fault('lost', `the bytes of ${sent.name}: ${sent.gotten}`);
    }
}

/* Who read to the end has read every event of his conference once, in order. */
function checkReaders(world, tables, fault) {
    for (const { who, poll } of world.history.of('unread')) fault('stuck', `${who} reads no more: ${JSON.stringify(poll)}`);
    for (const { who, conference, events, isWhole } of world.history.of('read')) {
        const all = (tables.eventsOf.get(numberOf(conference)) ?? []).filter((one) => one.audience === 'all').map((one) => one.id);
        const expected = isWhole ? all : all.slice(0, events.length);
        if (new Set(events).size !== events.length) fault('doubled', `${who} read an event twice`);
        else if (String(events) !== String(expected)) fault('lost', `${who} read ${events}, there is ${expected}`);
    }
}

/* ── offers ── */

function checkAcceptances(world, tables, fault) {
    const byId = new Map(tables.reservation.map((one) => [one.id, one]));
    for (const accepted of world.history.of('accept')) {
        const { reservation, who, status } = accepted;
        if (status === null) fault('stuck', `${who}'s acceptance of ${reservation} was never answered`);
        const { state } = byId.get(reservation) ?? {};
        if (status === 200 && state !== 'accepted') fault(state && state !== 'pending' ? 'void' : 'lost',
            `${who}'s acceptance of ${reservation} was acknowledged, it is ${state}`);
    }
    const winners = groupBy(tables.reservation.filter((one) => one.state === 'accepted'), (one) => one.invitation);
    for (const [invitation, all] of winners) if (all.length > 1) fault('doubled', `invitation ${invitation} is accepted by ${all
        .map((one) => one.agent)}`);
    for (const one of tables.reservation) if (one.state === 'pending') fault('stuck', `offer ${one.id} is open`);
}

/* One agent at a time, by the events of joining and leaving. */
function checkOneAgent(tables, fault) {
    const agents = new Map(tables.member.filter((one) => one.agent).map((one) => [one.id, one]));
    for (const [conf, events] of tables.eventsOf) {
        const inside = new Set();
        for (const { kind, member } of events) {
            if (!agents.has(member)) continue;
            if (kind === 'joined') inside.add(member);
            if (kind === 'left') inside.delete(member);
            if (inside.size > 1) { fault('two agents', `${[...inside].map((id) => agents.get(id).name)} are in ${conf}`); break; }
        }
    }
}

/* Who stands before whom in the queue's own order, to which checkOrder() holds the offers, and which checkPlaces() holds against
 * what was told. Where the clock on the wall is set, its times say nothing of it: ids are given in the order of the
 * commits, and say who came first unless both forms were on their way together. */
function orderOf(world) {
    const asked = new Map(world.history.of('ask').filter((one) => one.status === 200).map((one) => [numberOf(one.answer.conference), one]));
    const areTogether = (a, b) => a && b && a.began <= b.ended && b.began <= a.ended;
    return (a, b) => a.priority - b.priority || (!world.isClockSet ? a.queued_at - b.queued_at || a.id - b.id :
        areTogether(asked.get(a.conf), asked.get(b.conf)) ? 0 : a.id - b.id);
}

/* When an offer was made, by the boot's clock, which the table keeps for its end alone. How long it was open is the difference of
 * two times of the wall's clock, but for the hours that this one jumped meanwhile. */
const HOUR_MS = 3600000;
function offeredAt(offer) {
    const open = offer.ended_at - offer.offered_at;
    return offer.boot_ms - (open - Math.round(open / HOUR_MS) * HOUR_MS);
}

/* Replays the queue by its events: nobody is offered while one who came before waits, but for agents who let that one go. */
function checkOrder(world, tables, fault) {
    const order = orderOf(world);
    const offersOf = groupBy(tables.reservation, (one) => one.invitation), waiting = new Map(), count = new Map();
    const letGo = (offer, other) => (offersOf.get(other.id) ?? []).some((one) => one.agent === offer.agent && one.id < offer.id &&
        one.ended_at && one.boot_ms > offeredAt(offer) - REFUSED_MS - 1000);
    for (const event of tables.event) {
        const invitation = event.kind === 'queue' && tables.invitationsOf.get(event.conf)?.[0];
        if (!invitation) continue;
        const { state } = JSON.parse(event.data);
        waiting.delete(invitation.id);
        if (state === 'queued') waiting.set(invitation.id, invitation);
        if (state !== 'offered') continue;
        const nth = count.get(invitation.id) ?? 0, offer = offersOf.get(invitation.id)?.[nth];
        count.set(invitation.id, nth + 1);
        if (!offer) { fault('lost', `an offer of ${invitation.id}`); continue; }
        const passed = [...waiting.values()].find((one) => order(one, invitation) < 0 && !letGo(offer, one));
        if (passed) fault('order', `${invitation.id} is offered to ${offer.agent} while ${passed.id} waits`);
    }
}

/* Seen from outside: who was told that he is queued before another sent his form stands before him. How long a kept form has waited
 * is told by a call, which takes its time. */
const CALL_MS = 500;
function checkPlaces(world, tables, fault) {
    const places = new Map(tables.invitation.map((one) => [one.conf, one]));
    const roomOf = (one) => one.status === 200 ? numberOf(one.answer.conference) :
        one.kept === undefined ? 0 : tables.conferencesOf.get(questionOf(world, one.n))?.at(-1)?.id;
    const asked = world.history.of('ask').map((one) => ({ ...one, place: places.get(roomOf(one)) })).filter((one) => one.place);
    const order = orderOf(world); // that a form is kept promises its place as well, unless the clock is set
    const heardAt = (one) => world.isClockSet ? one.ended : one.kept ? one.kept + CALL_MS : one.ended;
    const told = [...asked].sort((a, b) => heardAt(a) - heardAt(b));
    let last = null, i = 0;
    for (const one of [...asked].sort((a, b) => a.began - b.began)) {
        for (; i < told.length && heardAt(told[i]) < one.began; i++) {
            if (!last || order(told[i].place, last.place) > 0) last = told[i];
        }
        if (last && order(one.place, last.place) < 0) fault('order', `form ${one.n} stands before form ${last.n}, told earlier`);
    }
}

/* ── everybody else ── */

/* What each of them was told. A repeat may find the room given up, or the session ended: by the first try, which nobody heard of. */
const told = {
    'open': ({ status, answer }) => status === 200 && answer,
    'look': ({ status, answer, sha }) => status === 200 && answer === sha,
    'keep': ({ status, answer, events }) => status === 200 && events.every((id, i) => id === answer[i]),
    'book': ({ status, answer }) => status === 200 && Boolean(answer.id),
    'list': ({ status, answer, conference }) => status === 200 && answer.includes(conference),
    'give up': ({ status, answer, conference, tries }) => (status === 404 && tries > 1) ||
        (status === 200 && !answer.includes(conference)),
    'sign in': ({ status, answer }) => status === 200 && answer.token.startsWith('a_'),
    'look inside': ({ status }) => status === 200,
    'sign out': ({ status, tries }) => status === 200 || (status === 401 && tries > 1),
    'look outside': ({ status }) => status === 401,
    'ask how it goes': ({ status, answer }) => status === 200 && answer.ok,
};

function checkTold(world, fault) {
    for (const [op, isRight] of Object.entries(told)) {
        for (const one of world.history.of(op)) {
            const what = `${one.who}: ${op}: ${JSON.stringify(one)}`;
            if (one.status === null) fault('stuck', what);
            else if (!isRight(one)) fault('wrong', what);
        }
    }
}

/* Every room that was booked is there once, and ended if it was given up. */
function checkRooms(world, tables, fault) {
    const given = new Set(world.history.of('give up').map((one) => numberOf(one.conference)));
    for (const { subject, status, answer } of world.history.of('book').filter((one) => one.status === 200)) {
        const found = tables.conferencesOf.get(subject) ?? [], [one] = found;
        if (found.length > 1) fault('doubled', `${subject}: ${found.length} rooms`);
        if (one?.id !== numberOf(answer.id)) fault('lost', `${subject}, status ${status}`);
        else if (given.has(one.id) && !one.ended_at) fault('lost', `${subject} was given up and has not ended`);
    }
}

/* ── all of it ── */

function checkDatabase(world, fault) {
    const checks = 'PRAGMA integrity_check; PRAGMA foreign_key_check';
    for (const name of ['rtcc.db', 'live.db']) {
        const file = path.join(world.instance.runDir, 'state', name);
        const said = execFileSync('sqlite3', ['-readonly', file, checks], { encoding: 'utf8' });
        if (said.trim() !== 'ok') fault('integrity', `${name}: ${said}`);
    }
}

/* How many forms have a further conference, because the first was over before their customer came into it. */
export function followed(world) {
    const sql = "SELECT count(*) AS n FROM (SELECT 1 FROM conference WHERE account LIKE 'key:%' GROUP BY subject HAVING count(*) > 1)";
    return world.rows(sql)[0].n;
}

/* The forms' conferences that have no invitation, and the forms that are not finished. */
export const unfinished = (world) => world.rows(`SELECT 'conference ' || c.id AS what FROM conference c
    WHERE c.account LIKE 'key:%' AND NOT EXISTS
    (SELECT 1 FROM invitation i WHERE i.site = c.site AND i.conf = c.id) UNION ALL
    SELECT 'form ' || reqid FROM request WHERE is_done = 0`).map((row) => row.what);

function checkForms(world, tables, fault) {
    checkDatabase(world, fault);
    for (const asked of world.history.of('ask')) checkForm(world, tables, asked, fault);
    for (const conference of tables.conference.filter(isOfForm)) checkConference(tables, conference, fault);
    for (const one of tables.request) if (!one.is_done) fault('orphan', `form ${one.reqid} was never finished`);
}

/* Where nobody serves: every form that was acknowledged is queued once. [{kind, what}] */
export function checkQueued(world) {
    const faults = [];
    const tables = readAll(world), fault = (kind, what) => kind !== 'stuck' && faults.push({ kind, what });
    checkForms(world, tables, fault);
    checkPlaces(world, tables, fault);
    return faults;
}

/* [{kind, what}] */
export function check(world) {
    const faults = [], fault = (kind, what) => faults.push({ kind, what });
    const tables = readAll(world);
    checkForms(world, tables, fault);
    checkMessages(world, tables, fault);
    checkFiles(world, tables, fault);
    checkReaders(world, tables, fault);
    checkAcceptances(world, tables, fault);
    checkOneAgent(tables, fault);
    checkOrder(world, tables, fault);
    checkPlaces(world, tables, fault);
    checkTold(world, fault);
    checkRooms(world, tables, fault);
    for (const one of tables.job) fault('stuck', `job ${one.kind} ${one.key}: ${one.last_error}`);
    return faults;
}
