/* vcs_conf_schedule, vcs_conf_delete and vcs: conferences and their codes, and what a client of the original product reads. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { find, get, post } from '../lib/http.js';
import { buildFolder, demoPassword, sleep, startInstance } from '../lib/instance.js';
import { basic, conferenceOf, html, isError, join, json, rtcc, schedule, textAt } from '../lib/wire.js';

let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const url = (name) => `/cgi_bin/${name}`;
const sqlite = (sql) => execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', path.join(instance.runDir,
    'state/rtcc.db'), sql],
    { encoding: 'utf8' }).trim();
const sam = basic('sam', demoPassword);

/* ── vcs_conf_schedule ── */

test('the answer has the elements of the contract, in its order', async () => {
    const answer = await get(base, `${url('vcs_conf_schedule')}?conf_type=reservationless&subject=new_conference`);
    assert.equal(answer.status, 200);
    const root = answer.xml();
    assert.equal(root.name, 'conference');
    assert.deepEqual(Object.keys(root.attributes), ['type', 'id']);
    assert.equal(root.attributes.type, 'reservationless');
    assert.match(root.attributes.id, /^[1-9]\d{14}server$/);
    assert.deepEqual(root.children.slice(0, 6).map((one) => one.name), ['subject', 'owner', 'join_url_root', 'access', 'access',
        'access']);
    assert.equal(textAt(root, 'subject'), 'new_conference');
    assert.equal(textAt(root, 'owner'), 'user1@domain.com');
    assert.equal(textAt(root, 'join_url_root'), '/call/');
    const [first, second, third] = find(root, 'access');
    assert.deepEqual(first.attributes, { type: 'leader', siteid: '0' });
    assert.deepEqual(second.attributes, { type: 'leader', state: 'active', siteid: '0' });
    assert.deepEqual(third.attributes, { type: 'participant', state: 'active', siteid: '0' });
    assert.deepEqual([first, second, third].map((one) => one.children.map((child) => child.name).join()), ['vanity', 'code',
        'code']);
    const leader = textAt(second, 'code'), participant = textAt(third, 'code');
    assert.match(leader, /^\d{7}$/);
    assert.match(participant, /^\d{7}$/);
    assert.equal(textAt(first, 'vanity'), leader);
    assert.equal(Number(participant) % 2, 0, "the participant's is even");
    assert.equal(Number(leader), Number(participant) + 1, "the leader's is that plus one");
});

test('the domain is the host that was asked, without its port', async () => {
    for (const [host, domain] of [['[::1]:8080', '[::1]'], ['[2001:db8::7]', '[2001:db8::7]'], ['rtcc.example:8080', 'rtcc.example']]) {
        const root = (await get(base, url('vcs_conf_schedule'), {}, { headers: { Host: host, ...sam.headers } })).xml();
        assert.equal(textAt(root, 'domain'), domain);
    }
});

test('the document begins with the declaration and has the lines of the contract', async () => {
    const { body } = await get(base, url('vcs_conf_schedule'), { subject: 'new_conference' });
    const lines = body.replace(/\d{15}server/, 'ID').replace(/\d{7}/g, 'CODE').split('\n');
    assert.deepEqual(lines.slice(0, 8), ['<?xml version="1.0" encoding="UTF-8"?>', '<conference type="reservationless" id="ID">',
        '  <subject>new_conference</subject>', '  <owner>user1@domain.com</owner>', '  <join_url_root>/call/</join_url_root>',
        '  <access type="leader" siteid="0"><vanity>CODE</vanity></access>',
        '  <access type="leader" state="active" siteid="0"><code>CODE</code></access>',
        '  <access type="participant" state="active" siteid="0"><code>CODE</code></access>']);
});

test('conf_type is reservationless or scheduled and reservationless by default', async () => {
    const type = async (query) => (await get(base, url('vcs_conf_schedule'), query)).xml().attributes.type;
    assert.equal(await type({}), 'reservationless');
    assert.equal(await type({ conf_type: 'reservationless' }), 'reservationless');
    assert.equal(await type({ conf_type: 'scheduled' }), 'scheduled');
    for (const wrong of ['Scheduled', 'x', 'recurring']) {
        isError(await get(base, url('vcs_conf_schedule'), { conf_type: wrong }), 'bad_parameter', 'conf_type');
    }
});

test('subject and owner are taken as they are, whatever characters they have', async () => {
    for (const text of ['<a> & "b" \'c\'', 'größer', '漢字', '\u{1f600}', 'x'.repeat(255)]) {
        const root = (await post(base, url('vcs_conf_schedule'), { subject: text, owner: text })).xml();
        assert.equal(textAt(root, 'subject'), text);
        assert.equal(textAt(root, 'owner'), text);
    }
    for (const text of ['two\nlines', 'bell\u0007', 'delete\u007f', 'escape\u001b[0m']) {
        isError(await post(base, url('vcs_conf_schedule'), { subject: text }), 'bad_parameter', 'subject');
    }
});

test('ids and codes are drawn: no two live conferences share one', async () => {
    const made = [];
    for (let i = 0; i < 10; i++) made.push(...await Promise.all(Array.from({ length: 10 }, () => schedule(base))));
    assert.equal(new Set(made.map((one) => one.id)).size, 100);
    assert.equal(new Set(made.flatMap((one) => [one.leader, one.participant])).size, 200);
    const steps = made.slice(1).map((one, i) => Number(one.id.slice(0, 15)) - Number(made[i].id.slice(0, 15)));
    assert.ok(new Set(steps).size > 95, 'one does not tell the next');
});

test('the same reqid with the same values answers the same conference, with other values 409', async () => {
    const form = { subject: 'one', owner: 'me', reqid: 'r'.repeat(64), timezone: 'Europe/Paris', web_password: 'x' };
    const first = await post(base, url('vcs_conf_schedule'), form), again = await post(base, url('vcs_conf_schedule'), form);
    assert.equal(again.status, 200);
    assert.equal(again.body, first.body);
    for (const [name, value] of [['subject', 'two'], ['owner', 'you'], ['conf_type', 'scheduled'], ['timezone', 'UTC'],
        ['web_password', 'y'], ['record_callers', '1'], ['duration_hours', '1']]) {
        isError(await post(base, url('vcs_conf_schedule'), { ...form, [name]: value }), 'conflict', 'reqid');
    }
    const without = { subject: 'one' };
    assert.notEqual((await schedule(base, without)).id, (await schedule(base, without)).id, 'without one: always a new one');
});

test('the same reqid from ten at once makes one conference', async () => {
    const before = Number(sqlite('SELECT count(*) FROM conference'));
    const made = await Promise.all(Array.from({ length: 10 }, () => schedule(base, { reqid: 'at once', subject: 'x' })));
    assert.equal(new Set(made.map((one) => one.id)).size, 1);
    assert.equal(Number(sqlite('SELECT count(*) FROM conference')), before + 1);
});

test('a reqid is unique for each caller', async () => {
    const key = (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
    const made = [await schedule(base, { reqid: 'shared' }), await schedule(base, { reqid: 'shared', subject: 'other' }, sam),
        await schedule(base, { reqid: 'shared', subject: 'third' }, { bearer: key })];
    assert.equal(new Set(made.map((one) => one.id)).size, 3);
});

/* ── a client of the original product ── */

const sent = { conf_type: 'scheduled', subject: 'Weekly', owner: 'boss@example.com', timezone: 'America/New_York',
    start_year: '2031',
    start_month: '2', start_day: '3', start_hour: '14', start_min: '5', start_sec: '0', end_year: '2031', end_month: '12',
        end_day: '31',
    end_hour: '23', end_min: '59', end_sec: '59', duration_hours: '2', num_occurrences: '10', recurrence: 'W-1-MON',
    web_password: 'open sesame', audio_password: '1234', no_audio: 'false', calling_disabled: 'false', create_callback: 'true',
    video_allowed: 'true', announce_callers: 'true', announce_callers_on_exit: 'false', record_callers: 'true',
        continuous_chat: 'true',
    disable_join_tones: 'false', drop_with_leader: 'true', leader_req: 'true', lecture_mode: 'false', webinar_mode: 'true',
    owner_starts_presentation: 'true', audio_only: 'false', disable_participant_mute: 'false', suppress_system_im: 'true',
    _nocachex: '0.123456789' };

/* What it reads, the way it reads it. */
function readAsOriginal(root) {
    const conference = root.name === 'conference' ? root : find(root, 'conference')[0];
    const time = (element) => ['year', 'month', 'day', 'hour', 'minute'].map((name) => Number(textAt(element, name)));
    const [leaderUrl, participantUrl] = find(conference, 'url').map((one) => one.text);
    const [start, end] = find(conference, 'time').map(time);
    const accesses = find(conference, 'access'), documents = find(conference, 'documents')[0];
    const options = find(conference, 'options')[0], recurrence = find(conference, 'recurrence')[0];
    return { domain: textAt(conference, 'domain'), root: textAt(conference, 'join_url_root'), leaderUrl, participantUrl, start,
        end,
        timezone: textAt(conference, 'timezone'), vanity: find(conference, 'access/vanity')[0].text,
        code: textAt(accesses.find((one) => one.attributes.type === 'leader' && find(one, 'code').length), 'code'),
        state: accesses[1].attributes.state, webinar: textAt(options, 'webinar_mode'), audio: textAt(options, 'audio_only'),
        starts: textAt(options, 'owner_starts_presentation'), recurrence: recurrence && { ...recurrence.attributes,
            duration: Number(textAt(recurrence, 'duration')) }, password: textAt(documents, 'password'),
        documents: find(documents, 'document').length };
}

test('a client of the original product schedules under /cgi-bin/ with HTTP Basic and reads back what it sent', async () => {
    const answer = await post(base, '/cgi-bin/vcs_conf_schedule', sent, sam);
    assert.equal(answer.status, 200, answer.body);
    const { id, leader, participant } = conferenceOf(answer.xml());
    const { recurrence, ...read } = readAsOriginal(answer.xml());
    const join = (code) => `${base}/cgi_bin/vcs_call?action=add&&vanity=${code}&call_callid=${id}`;
    assert.deepEqual(read, { domain: '127.0.0.1', root: '/call/', leaderUrl: join(leader), participantUrl: join(participant),
        start: [2031, 2, 3, 14, 5], end: [2031, 12, 31, 23, 59], timezone: 'America/New_York', vanity: leader, code: leader,
        state: 'active', webinar: 'true', audio: 'false', starts: 'true', password: 'open sesame', documents: 0 });
    assert.ok(recurrence.type.length > 0 && recurrence.pattern.includes('1-MON'), JSON.stringify(recurrence));
    assert.equal(recurrence.duration, 7200, 'the duration is in seconds');
});

test('the urls of the answer are good as they are: the patent writes them with two ampersands', async () => {
    const { leaderUrl, participantUrl } = readAsOriginal((await get(base, url('vcs_conf_schedule'))).xml());
    for (const [address, role] of [[leaderUrl, 'leader'], [participantUrl, 'participant']]) {
        assert.match(address, /\?action=add&&vanity=\d{7}&call_callid=/);
        const answer = await get(base, address.slice(base.length));
        assert.equal(find(answer.xml(), 'member')[0].attributes.role, role);
    }
});

test('all that it sends is kept', async () => {
    const { id } = conferenceOf((await post(base, '/cgi-bin/vcs_conf_schedule', sent, sam)).xml());
    const [kept] = JSON.parse(execFileSync('sqlite3', ['-readonly', '-json', path.join(instance.runDir, 'state/rtcc.db'),
        `SELECT * FROM conference WHERE id = ${id.slice(0, 15)}`], { encoding: 'utf8' }));
    const options = Object.fromEntries(new URLSearchParams(kept.options));
    const elsewhere = ['conf_type', 'subject', 'owner', 'timezone', 'duration_hours', 'recurrence', '_nocachex'];
    for (const [name, value] of Object.entries(sent)) {
        if (!elsewhere.includes(name) && !/^(start|end)_/.test(name)) assert.equal(options[name], value, name);
    }
    assert.equal(kept.recurrence, 'W-1-MON');
    assert.equal(kept.duration_s, 7200);
    assert.equal(kept.start_at, Date.UTC(2031, 1, 3, 14, 5, 0));
    assert.equal(kept.end_at, Date.UTC(2031, 11, 31, 23, 59, 59));
});

test('recurrence is absent where nothing recurs, and D-WE is daily', async () => {
    const read = async (query) => readAsOriginal((await get(base, url('vcs_conf_schedule'), query)).xml()).recurrence;
    assert.equal(await read({}), undefined);
    const daily = await read({ recurrence: 'D-WE', duration_hours: 1 });
    assert.match(daily.type, /^d/i);
    assert.equal(daily.duration, 3600);
});

test('M is monthly, and what is no pattern is refused', async () => {
    const ask = (recurrence) => get(base, url('vcs_conf_schedule'), { recurrence });
    assert.equal(readAsOriginal((await ask('M-1-15')).xml()).recurrence.type, 'monthly');
    for (const wrong of ['bogus', 'D', 'daily', 'w-1-mon', 'W-1-MONDAY']) isError(await ask(wrong), 'bad_parameter', 'recurrence');
});

test('without times the conference starts now; an end before the start and days that do not exist are refused', async () => {
    const { start, end } = readAsOriginal((await get(base, url('vcs_conf_schedule'))).xml());
    const now = new Date();
    assert.ok(Math.abs(Date.UTC(start[0], start[1] - 1, start[2], start[3], start[4]) - now) < 90000);
    assert.equal(end.length, 5);
    const refused = [[{ start_year: 2031, start_month: 2, start_day: 29 }, 'start_day'], [{ start_year: 2031, end_year: 2030 },
        'end_year'],
        [{ start_month: 13 }, 'start_month'], [{ end_hour: 24 }, 'end_hour'], [{ start_min: 60 }, 'start_min']];
    for (const [query, name] of refused) isError(await get(base, url('vcs_conf_schedule'), query), 'bad_parameter', name);
});

test('mod_vanity changes that conference, by either of its codes; id and codes stay', async () => {
    const made = conferenceOf((await post(base, '/cgi-bin/vcs_conf_schedule', sent, sam)).xml());
    for (const code of [made.leader, made.participant]) {
        const change = { ...sent, mod_vanity: code, subject: `changed by ${code}`, webinar_mode: 'false', start_hour: '15' };
        const answer = await post(base, '/cgi-bin/vcs_conf_schedule', change, sam);
        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(conferenceOf(answer.xml()), made);
        assert.equal(textAt(answer.xml(), 'subject'), `changed by ${code}`);
        const read = readAsOriginal(answer.xml());
        assert.deepEqual([read.webinar, read.start], ['false', [2031, 2, 3, 15, 5]]);
    }
    const list = (await get(base, '/cgi-bin/vcs', {}, sam)).xml();
    const listed = find(list, 'conference').filter((one) => one.attributes.id === made.id);
    assert.deepEqual(listed.map((one) => textAt(one, 'subject')), [`changed by ${made.participant}`]);
});

test('mod_vanity leaves what is not sent as it was; a moved conference keeps its length', async () => {
    const made = (await post(base, '/cgi-bin/vcs_conf_schedule', sent, sam)).xml(), { leader } = conferenceOf(made);
    const change = async (query) => (await post(base, '/cgi-bin/vcs_conf_schedule', { mod_vanity: leader, ...query }, sam)).xml();
    const read = (root) => ({ ...readAsOriginal(root), subject: textAt(root, 'subject') });
    const before = read(made), differs = async (query) => {
        const now = read(await change(query));
        return Object.fromEntries(Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
    };
    assert.deepEqual(await differs({ subject: 'Only this' }), { subject: 'Only this' });
    assert.deepEqual(await differs({ subject: sent.subject, webinar_mode: before.webinar === 'true' ? 'false' : 'true' }),
        { webinar: before.webinar === 'true' ? 'false' : 'true' });
    await change({ webinar_mode: before.webinar });
    const [y, m, d, h, min] = before.start, moved = { start_year: y + 1, start_month: m, start_day: d, start_hour: h, start_min: min };
    assert.deepEqual(await differs(moved), { start: [y + 1, m, d, h, min], end: [2032, 12, 30, 23, 59] }, 'one of them has a 29 February');
    assert.deepEqual(await differs({ duration_hours: 3, end_year: 2033 }),
        { start: [y + 1, m, d, h, min], end: [2033, 1, 1, 0, 0], recurrence: { ...before.recurrence, duration: 10800 } });
    isError(await get(base, url('vcs_conf_schedule'), { mod_vanity: leader, end_year: 2030 }, sam), 'bad_parameter', 'end_year');
});

test('a recurrence has its length in seconds, whether that or an end was sent', async () => {
    const half = { start_year: 2031, start_month: 2, start_day: 3, start_hour: 9, recurrence: 'D-WE' };
    const length = async (query) => textAt((await get(base, url('vcs_conf_schedule'), { ...half, ...query })).xml(), 'recurrence/duration');
    assert.equal(await length({ end_year: 2031, end_month: 2, end_day: 3, end_hour: 10, end_min: 30 }), '5400');
    assert.equal(await length({ end_year: 2031, end_month: 12, end_day: 31, end_hour: 10, end_min: 30 }), '5400', 'until the end of the year');
    assert.equal(await length({ duration_hours: 2 }), '7200');
    assert.equal(await length({}), '0');
});

test('a change with a reqid may be repeated; one that made a conference is another request', async () => {
    const reqid = randomUUID(), made = conferenceOf((await get(base, url('vcs_conf_schedule'), { subject: 'made', reqid })).xml());
    const change = { mod_vanity: made.leader, subject: 'changed' };
    isError(await get(base, url('vcs_conf_schedule'), { ...change, reqid }), 'conflict', 'reqid');
    const own = { ...change, reqid: randomUUID() };
    for (let i = 0; i < 2; i++) {
        assert.equal(textAt((await get(base, url('vcs_conf_schedule'), own)).xml(), 'subject'), 'changed');
    }
});

test('mod_vanity of no conference, or of one that has ended, is 404', async () => {
    const made = await schedule(base);
    await get(base, url('vcs_conf_delete'), { delete_vanity: made.leader });
    isError(await get(base, url('vcs_conf_schedule'), { mod_vanity: made.leader, subject: 'x' }), 'not_found');
});

/* ── vcs_conf_delete, vcs ── */

const idsOf = (answer) => find(answer.xml(), 'conference').map((one) => one.attributes.id);

test('vcs lists what the account scheduled, each as vcs_conf_schedule answered it', async () => {
    const made = [];
    for (const subject of ['first', 'second', 'third']) {
        made.push(await post(base, url('vcs_conf_schedule'), { subject }));
        await sleep(2); // "oldest first" is by the millisecond; within one it says nothing
    }
    const answer = await get(base, url('vcs'), { all_vanities: 'true' });
    assert.equal(answer.xml().name, 'conferences');
    const listed = find(answer.xml(), 'conference');
    assert.deepEqual(listed.slice(-3).map(asJson), made.map((one) => asJson(one.xml())));
    assert.deepEqual(idsOf(await get(base, url('vcs'))), idsOf(answer), 'with all_vanities or without');
    const original = { all_vanities: 'true', hide_temp_confs: 'true', show_conf_passwords: 'true', call_data: 'true' };
    assert.deepEqual(idsOf(await post(base, '/cgi-bin/vcs', original)), idsOf(answer));
});

test('an account without conferences gets an empty list', async () => {
    const key = (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
    const answer = await get(base, url('vcs'), {}, { bearer: key });
    assert.deepEqual([answer.xml().name, answer.xml().children], ['conferences', []]);
    assert.deepEqual((await get(base, url('vcs'), {}, { bearer: key, ...json })).json(), { conference: [] });
});

/* XML as the JSON of the same answer writes it: what may repeat is a list. */
function asJson(element) {
    const many = { access: 1, url: 1, time: 1, conference: 1, document: 1, call: 1 };
    if (!element.children.length && !Object.keys(element.attributes).length && !many[element.name]) return element.text;
    const object = { ...element.attributes };
    for (const child of element.children) {
        if (many[child.name]) (object[child.name] ??= []).push(child.children.length || Object.keys(child.attributes).length
            ? asJson(child) : child.text);
        else object[child.name] = asJson(child);
    }
    return object;
}

test('the JSON of vcs* says the same as the XML, with nothing lost', async () => {
    const xml = asJson((await post(base, url('vcs_conf_schedule'), { ...sent, reqid: 'as json' })).xml());
    const answer = (await post(base, url('vcs_conf_schedule'), { ...sent, reqid: 'as json' }, json)).json();
    answer.recurrence.duration = String(answer.recurrence.duration);
    answer.time = answer.time.map((time) => Object.fromEntries(Object.entries(time).map(([name, value]) => [name,
        String(value)])));
    assert.deepEqual({ ...answer, documents: { password: answer.documents.password } }, xml);
    assert.equal(answer.access.length, 3);
    assert.equal(answer.url.length, 2);
    const list = (await get(base, url('vcs'), {}, json)).json();
    assert.deepEqual(list.conference.map((one) => one.id), idsOf(await get(base, url('vcs'))));
});

test('vcs_conf_delete ends the conference and answers the remaining list', async () => {
    const one = await schedule(base), two = await schedule(base), three = await schedule(base);
    const before = idsOf(await get(base, url('vcs')));
    const original = { delete_vanity: one.leader, all_vanities: 'true', hide_temp_confs: 'true', show_conf_passwords: 'true' };
    const rest = await get(base, url('vcs_conf_delete'), original);
    assert.equal(rest.xml().name, 'conferences');
    assert.deepEqual(idsOf(rest), before.filter((id) => id !== one.id));
    assert.deepEqual(idsOf(await post(base, url('vcs_conf_delete'), { delete_vanity: two.participant })),
        before.filter((id) => id !== one.id && id !== two.id));
    const asked = (await get(base, url('vcs_conf_delete'), { delete_vanity: three.leader }, json)).json();
    assert.ok(Array.isArray(asked.conference) && !asked.conference.some((conference) => conference.id === three.id));
});

test('who is in a conference learns its end, and its codes open nothing any more', async () => {
    const { id, leader, participant } = await schedule(base), customer = await join(base, participant, id, { name: 'Ann' });
    const poll = get(base, url('conf_poll'), { conf: id, token: customer.token,
        after: (await get(base, url('conf_poll'), { conf: id, token: customer.token })).json().after });
    await get(base, url('vcs_conf_delete'), { delete_vanity: leader });
    const told = (await poll).json();
    assert.equal(told.state, 'ended');
    assert.deepEqual(told.events.map((one) => [one.kind, one.state]), [['state', 'ended']]);
    const from = '127.0.0.61';
    isError(await get(base, url('vcs_call'), { vanity: participant, call_callid: id }, { from }), 'not_found');
    isError(await get(base, url('vcs_conf_delete'), { delete_vanity: leader }, { from }), 'not_found');
});

test("a browser's form is sent on: to the way into the conference, and after deleting to the list", async () => {
    const browser = { ...html, ...sam }, answer = await post(base, url('vcs_conf_schedule'), { reqid: 'by a browser' }, browser);
    const { participant } = conferenceOf((await post(base, url('vcs_conf_schedule'), { reqid: 'by a browser' }, sam)).xml());
    assert.deepEqual([answer.status, answer.headers.location], [303, `/call/${participant}`]);
    const ended = await post(base, url('vcs_conf_delete'), { delete_vanity: participant }, browser);
    assert.deepEqual([ended.status, ended.headers.location], [303, '/cgi_bin/vcs?all_vanities=true']);
    assert.equal((await get(base, ended.headers.location, {}, sam)).xml().name, 'conferences');
});

test('deleting what is not there is 404', async () => {
    for (const code of ['x', '123', '12345678', 'abcdefg']) {
        const answer = await get(base, url('vcs_conf_delete'), { delete_vanity: code });
        isError(answer, code.length > 7 ? 'bad_parameter' : 'not_found');
    }
});

test('no parameter names a file, a stylesheet or a program', async () => {
    const plain = await get(base, url('vcs'), { all_vanities: 'true' });
    for (const name of ['xsl', 'xsl_file', 'stylesheet', 'file', 'template', 'page', 'template_file', 'exec', 'cmd', 'conf',
        'path']) {
        for (const value of ['/etc/passwd', '../../../../etc/passwd', 'http://evil.example/x.xsl', '|id', '`id`']) {
            const answer = await get(base, url('vcs'), { all_vanities: 'true', [name]: value });
            assert.equal(answer.body, plain.body, `${name}=${value}`);
        }
    }
});
