/* What the tests of the wire contract have in common: the three forms of an error, cookies, the leading credentials. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { find, get, post } from './http.js';
import { buildFolder, sleep } from './instance.js';
import { act, agentPoll, conversation, readyAgent, signIn } from './people.js';

export const json = { accept: 'application/json' };
export const xml = { accept: 'application/xml' };
export const html = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

/* The options of a request with HTTP Basic. */
export const basic = (name,
    secret) => ({ headers: { Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` } });

export const statuses = { bad_parameter: 400, unauthorized: 401, forbidden: 403, not_found: 404, bad_method: 405, conflict: 409,
    already_taken: 409, gone: 410, too_large: 413, too_many: 429, unavailable: 503 };

/* Asserts that an object has these members; it may have more, as every answer may. */
export function hasMembers(object, ...names) {
    for (const name of names) assert.ok(Object.hasOwn(object, name), `${name} is missing in ${JSON.stringify(object)}`);
}

/* The members of an object that are named. */
export const only = (object, ...names) => Object.fromEntries(names.map((name) => [name, object[name]]));

/* The text of the element at a path below an element, or undefined. */
export const textAt = (element, where) => find(element, where)[0]?.text;

/* {code, parameter, reason, offset} of an error in XML or JSON, and `form`, which of them; throws on anything else. */
export function errorOf(answer) {
    if (answer.headers['content-type'].startsWith('application/json')) {
        const { error, ...rest } = answer.json();
        assert.deepEqual(rest, {}, 'an error is alone');
        assert.ok(Object.hasOwn(error, 'parameter'), answer.body);
        return { form: 'json', ...error };
    }
    assert.match(answer.headers['content-type'], /^application\/xml/, answer.body);
    const message = answer.xml();
    assert.equal(message.name, 'message');
    assert.deepEqual(message.attributes, { type: 'error' });
    assert.deepEqual(message.children.map((one) => one.name).slice(0, 3), ['code', 'parameter', 'reason']);
    return { form: 'xml', code: textAt(message, 'code'), parameter: textAt(message, 'parameter') || null,
        reason: textAt(message, 'reason') };
}

/* Asserts that an answer is this error, with its own status and one plain sentence. parameter null: of none, undefined: any. */
export function isError(answer, code, parameter) {
    assert.equal(answer.status, statuses[code], `${code} expected, got ${answer.status} ${answer.body}`);
    const error = errorOf(answer);
    assert.equal(error.code, code, answer.body);
    if (parameter !== undefined) assert.equal(error.parameter, parameter, answer.body);
    assert.match(error.reason, /^["\w]\S*( \S+){2,}[.]$/, 'a reason is a sentence');
    if (code === 'too_many' || code === 'unavailable') assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
    if (code === 'bad_method') assert.match(answer.headers.allow, /^(GET, HEAD|POST|GET, HEAD, POST)$/);
    return error;
}

/* Asserts that an answer is this error as a page, and gives its sentence. */
export function isErrorPage(answer, status) {
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.headers['content-type'], /^text\/html; *charset=utf-8/i);
    assert.match(answer.body, /^\s*<!doctype html>/i);
    assert.match(answer.body, /<title>[^<–]+ – /, 'the title says what is wrong');
    assert.match(answer.body, /<h1>[^<]+<\/h1>/);
    assert.match(answer.body, new RegExp(`Status ${status}`));
    return /<div class="card">\s*<p>([^<]+)<\/p>/.exec(answer.body)[1];
}

/* Every cookie that an answer sets: {name: {value, flags}}, the flags in small letters. */
export function setCookies(answer) {
    const cookies = {};
    for (const line of answer.headers['set-cookie'] ?? []) {
        const [pair, ...flags] = line.split(/; */);
        const [, name, value] = /^([^=]+)=(.*)$/.exec(pair);
        cookies[name] = { value, flags: flags.map((flag) => flag.toLowerCase()) };
    }
    return cookies;
}

/* Schedules a conference as trusted loopback: {id, leader, participant}, and whatever the options say. */
export async function schedule(base, query = {}, options = {}) {
    const answer = await get(base, '/cgi_bin/vcs_conf_schedule', query, options);
    assert.equal(answer.status, 200, answer.body);
    return conferenceOf(answer.xml());
}

/* {id, leader, participant} of a <conference>. */
export function conferenceOf(element) {
    const code = (type) => textAt({ children: find(element, 'access').filter((one) =>
        one.attributes.type === type && find(one, 'code').length) }, 'access/code');
    return { id: element.attributes.id, leader: code('leader'), participant: code('participant') };
}

/* Joins by code as trusted loopback: {conference, member, role, token, window}. */
export async function join(base, code, conference, form = {}, options = {}) {
    const query = { action: 'add', vanity: code, call_callid: conference, ...form };
    const answer = await post(base, '/cgi_bin/vcs_call', query, options);
    assert.equal(answer.status, 200, answer.body);
    const call = answer.xml(), [member] = find(call, 'member');
    return { conference: call.attributes.conference, member: Number(member.attributes.id), role: member.attributes.role,
        token: member.attributes.token, window: textAt(call, 'window') };
}

/* A conference with a customer and a leader in it, nobody queued: {id, leader, participant, customer, agent}. */
export async function room(base, query = {}) {
    const conference = await schedule(base, query);
    const customer = await join(base, conference.participant, conference.id, { name: 'Ann' });
    const agent = await join(base, conference.leader, conference.id, { name: 'Anna' });
    return { ...conference, customer, agent };
}

/* Puts an agent to rest when the test is over: not ready, his conferences ended, so that the next test has the queue for itself.
 * */
function restAfter(t, instance, login) {
    t.after(async () => {
        const agent = await signIn(instance, login);
        await act(instance, agent, 'notready');
        for (const { conference } of (await agentPoll(instance, agent)).conferences) await act(instance, agent, 'end',
            { conf: conference });
    });
}

/* Cancels what waits, so that the next to come is the next to be offered. */
export async function emptyQueue({ base }) {
    const { invitations } = (await get(base, '/cgi_bin/queue', { action: 'list' })).json();
    for (const { invitation } of invitations) await post(base, '/cgi_bin/queue', { action: 'cancel', invitation });
}

/* A customer and an agent in one conference, as conversation() makes it, until the end of the test. The queue is emptied before. */
export async function talk(t, instance, login = 'anna', entries = {}) {
    restAfter(t, instance, login);
    await emptyQueue(instance);
    return conversation(instance, login, entries);
}

/* An agent who is ready for offers until the end of the test. The queue is emptied before. */
export async function onDuty(t, instance, login = 'anna') {
    restAfter(t, instance, login);
    await emptyQueue(instance);
    return readyAgent(instance, login);
}

/* Runs the administrator's command on an instance: {status, stdout, stderr}. */
export const rtcc = (build, conf, args, input = '') => new Promise((done) => {
    const child = spawn(path.join(build, 'sbin/rtcc'), args, { env: { ...process.env, RTCC_CONF: conf } });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => { said[name] += data; });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('close', (status) => done({ status, ...said }));
});

/* Adds agents with these logins, who have the demonstration's password. */
export async function addAgents(instance, logins, build = buildFolder) {
    const list = logins.map((login) => `${login}\t${login}\tagent\t${instance.password}\n`).join('');
    const { status, stderr } = await rtcc(build, path.join(instance.runDir, 'rtcc.conf'), ['agent', 'import'], list);
    assert.equal(status, 0, stderr);
}

/* Waits until what is left of the clock's window (a minute) is at least so many seconds: limits count by such windows. */
export async function enoughOfWindow(seconds, window = 60) {
    const left = window * 1000 - Date.now() % (window * 1000);
    if (left < seconds * 1000) await sleep(left + 50);
}

/* Asserts that something takes `most` ms at most. It has three tries: a machine that does other things too is late now and then,
 * what waits for the tick of a second is late nearly always. `attempt` gives the ms that it took. */
export async function isQuick(what, most, attempt, tries = 3) {
    const took = [];
    for (let i = 0; i < tries && !(took.at(-1) <= most); i++) took.push(await attempt(i));
    assert.ok(took.at(-1) <= most, `${what}: ${took.map((ms) => ms.toFixed(0)).join(', ')} ms, not ${most}`);
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

/* The medians of how long two things take, in ms, done in turn so that a busy machine is as slow for one as for the other. */
export async function compareTimes(times, ...things) {
    const took = things.map(() => []);
    for (let i = 0; i < times; i++) {
        for (const [n, thing] of things.entries()) {
            const began = performance.now();
            await thing(i);
            took[n].push(performance.now() - began);
        }
    }
    return took.map(median);
}
