/* Every parameter of every program with two hundred hostile values, of a file its name, its type and its bytes: where one is wrong
 * the answer is 4xx with a sentence, never a 5xx; nothing comes back as markup or stands in a log; the answer's headers are the same
 * as for everybody; and all but one in a hundred take less than 50 ms. The parameters come from the programs' own --help.
 * Needs the whole machine. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { hasUsualHeaders, isEchoed, isHarmless, soundLogs } from '../lib/harmless.js';
import { count } from '../lib/hosts.js';
import { hostileValues, isWrongAsSuch, mustRefuse, wayOf } from '../lib/hostile.js';
import { buildFolder, sleep, startInstance, until } from '../lib/instance.js';
import { ask, conversation, sendFile } from '../lib/people.js';
import { p99 } from '../lib/percentile.js';
import { bytesOf, Wire } from '../lib/raw.js';
import { methodsOf, programNames, tableOf } from '../lib/table.js';
import { rtcc, schedule } from '../lib/wire.js';

let instance, known, places;
before(async () => {
    instance = await startInstance({ crowd: true });
    const { agent, staff, customer } = await conversation(instance);
    const key = (await rtcc(buildFolder, `${instance.runDir}/rtcc.conf`, ['key', 'add', 'hostile'])).stdout.trim();
    const { file } = await sendFile(instance, customer, 'a.txt', 'text/plain', 'x');
    const { participant, leader } = await schedule(instance.base), { conference: over } = await ask(instance);
    const { leader: own } = await schedule(instance.base, {}, { bearer: key });
    known = { agent, staff, customer, key, file, participant, leader, over, own };
    places = placesOf(instance.runDir);
});
after(() => instance?.stop());

/* ── requests ── */

/* What can be done with the programs that do several things. Not signing out, after which the session would be refused and
 * nothing of what follows be looked at. */
const actions = { queue: ['list', 'put', 'cancel', 'trace', 'standing'], agent_sign: ['in'],
    agent_act: ['ready', 'notready', 'settings', 'accept', 'decline', 'note', 'end'],
    vcs_call: ['add', 'drop', 'mute', 'unmute', 'list', 'record', 'stop_record'],
    conf_post: ['message', 'note', 'rating', 'signal', 'typing'] };

/* The parameter that says which; and what is left out of it: what ends what the others need, and telephones, which are not there. */
const chooserOf = (program) => (program === 'conf_post' ? 'kind' : 'action');
const leftOut = { agent_sign: ['out'], conf_post: ['call', 'callback', 'solved', 'leave'] };

/* What a parameter is for, as "put, trace: the conference's id" says; undefined where it goes with all. */
const isOf = ({ about }) => /^(\w+(?:, \w+)*): /.exec(about)?.[1].split(', ');

/* In turn each of those that the parameter is for; where none is tried, the first. */
function actionOf(program, param, turn) {
    const own = param && isOf(param), can = (actions[program] ?? []).filter((one) => !own || own.includes(one));
    return can[param ? turn % can.length : 0] ?? actions[program]?.[0];
}

/* Something good for every parameter, so that the hostile one is what is wrong. What is not named here is known by its kind. What
 * ends a conference has one that nobody needs. */
function goodValues(program, action) {
    const { customer, staff, agent, file, participant, over } = known;
    const member = program === 'conf_post' ? staff : customer, conf = action === 'end' ? over : customer.conference;
    const legs = program === 'vcs_call' ? { id: 1, phone: undefined } : { id: file, phone: '+16035551234' };
    return { action, conf, token: member.token, kind: action, to: customer.member, data: 'x', stars: 5, text: 'x', name: 'Ann',
        vanity: participant, delete_vanity: '0000000',
        reservation: 1, wait: 0, login: 'anna', password: instance.password, after: 0, csrf: agent.csrf, invitation: 1, ...legs,
        email: 'ann@example.com', language: 'en', page: 'https://shop.example/', file: { name: 'a.txt', type: 'text/plain', data: 'x' },
        url: `${instance.base}/cgi_bin/vcs_call?action=add&&vanity=${participant}&call_callid=${conf}` };
}

/* [name, value] of what goes with the parameter that is tried: all that the program insists on, and what makes it work. */
function companions(program, table, param, turn = 0) {
    const action = actionOf(program, param, turn), good = goodValues(program, action);
    const always = ['action', 'wait', 'name', 'text', 'login', 'password', 'after', 'vanity',
        ...(program === 'form_submit' ? ['phone'] : []), ...(program === 'vcs_call' ? [] : ['token'])]; // there it is instead of the code
    const belongs = (one) => one.required || (isOf(one) && action ? isOf(one).includes(action) && good[one.name] !== undefined
        : always.includes(one.name));
    const isChange = program === 'vcs_conf_schedule' && param && param.name !== 'mod_vanity' && turn % 2;
    return [...table.filter((one) => one.name !== param?.name && belongs(one))
        .map(({ name, kind, min }) => [name, good[name] ?? (kind === 'whole number' ? min : 'x')]),
    ...isChange ? [['mod_vanity', known.own]] : []];
}

const bearerOf = (program) => program.startsWith('agent_') ? known.agent.token
    : program.startsWith('vcs') || program === 'queue' ? known.key : undefined;

const escaped = (bytes) => bytes.toString('latin1').replace(/[^A-Za-z0-9._~-]/g, (c) =>
    `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
const pair = (name, value) => `${name}=${escaped(Buffer.from(value))}`;

/* A part of multipart/form-data. The value is a text, or a file {name, type, data}, of which name or type may be missing. */
function partOf(field, value) {
    const isFile = value.data !== undefined && !(value instanceof Buffer), head = [`Content-Disposition: form-data; name="${field}"`];
    if (isFile && value.name !== undefined) head.push('; filename="', value.name, '"');
    if (isFile && value.type !== undefined) head.push('\r\nContent-Type: ', value.type);
    return Buffer.concat([...head, '\r\n\r\n', isFile ? value.data : value].map((one) => Buffer.from(one)));
}

const multipartOf = (fields) => Buffer.concat([...fields.flatMap(([field, value]) => ['--b\r\n', partOf(field, value), '\r\n']), '--b--\r\n']
    .map((one) => Buffer.from(one)));

const multipartType = 'Content-Type: multipart/form-data; boundary=b';
const urlencodedType = 'Content-Type: application/x-www-form-urlencoded';
const chunked = (body) => Buffer.concat([...(body.length ? [Buffer.from(`${body.length.toString(16)}\r\n`), body,
    Buffer.from('\r\n')] : []), Buffer.from('0\r\n\r\n')]);

/* What goes in the query and what in a body. A file travels in multipart alone. */
function requestOf(program, param, value, turn) {
    const methods = methodsOf(program), table = tableOf(program), others = companions(program, table, param, turn);
    const canPost = methods.includes('POST'), file = others.find(([name]) => name === 'file');
    const way = file ? 'multipart' : canPost ? wayOf(value, turn) : 'query', target = `/cgi_bin/${program}`;
    const accept = ['application/json', 'text/html', 'application/xml'][turn % 3], bearer = bearerOf(program);
    const head = [`Accept: ${accept}`, ...(bearer ? [`Authorization: Bearer ${bearer}`] : [])];
    const isRaw = value.raw !== undefined, tried = value.isMissing || isRaw ? [] : [[param.name, value.bytes]];
    const rest = others.map(([name, good]) => [name, good.data !== undefined ? good : String(good)]);
    const query = isRaw ? [`${param.name}=${value.raw}`] : [];
    if (way === 'query') {
        const all = [...query, ...[...tried, ...rest].map(([name, one]) => pair(name, one))].join('&') + (value.beside ?? '');
        const isLong = all.length > 7000; // an address has its limit in the web server
        if (isLong && canPost) return bytesOf('POST', target, [...head, urlencodedType], Buffer.from(all));
        return canPost && (!methods.includes('GET') || turn % 2) ? bytesOf('POST', `${target}?${all}`, head, Buffer.alloc(0))
            : bytesOf(isLong ? 'POST' : 'GET', isLong ? target : `${target}?${all}`, head, isLong ? Buffer.from(all) : undefined);
    }
    if (way === 'multipart') {
        return bytesOf('POST', `${target}?${[...query, value.beside?.slice(1) ?? ''].join('&')}`.slice(0, 7000),
            [...head, multipartType], multipartOf([...tried, ...rest]));
    }
    const body = Buffer.from([...tried, ...rest].map(([name, one]) => pair(name, one)).join('&') + (value.beside ?? ''));
    return way === 'chunked' ? bytesOf('POST', target, [...head, urlencodedType, 'Transfer-Encoding: chunked'], chunked(body), null)
        : bytesOf('POST', target, [...head, urlencodedType], body);
}

/* As browsers write a name (WHATWG HTML): what would end it is escaped. */
const asBrowsersWrite = (name) => Buffer.from(name.toString('latin1').replaceAll('"', '%22').replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A'), 'latin1');

/* An upload with the value as the file's name, type or data: {bytes, content}. Names go in turn as they are and as a browser writes
 * them. The content is what stands behind the part's head, which a name or a type may end before its time. */
function uploadOf(param, place, value, turn) {
    const file = { name: Buffer.from('a.txt'), type: Buffer.from('text/plain'), data: Buffer.from('x') };
    file[place] = value.isMissing ? undefined : value.bytes ?? Buffer.from(value.raw);
    const sent = { ...file, data: file.data ?? Buffer.alloc(0) };
    if (place === 'name' && file.name && turn % 2) sent.name = asBrowsersWrite(file.name);
    const rest = companions('file_put', tableOf('file_put'), param).map(([name, good]) => [name, String(good)]);
    const target = `/cgi_bin/file_put?${value.beside?.slice(1) ?? ''}`.slice(0, 7000);
    const accept = ['application/json', 'text/html', 'application/json', 'application/xml'][turn % 4];
    const part = partOf(param.name, sent), body = multipartOf([[param.name, sent], ...rest]);
    return { content: part.subarray(part.indexOf('\r\n\r\n') + 4), bytes: bytesOf('POST', target, [`Accept: ${accept}`, multipartType], body) };
}

/* Whether an upload has to be refused: a name has 200 characters at most and is text, a part's head has no NUL. */
function mustRefuseUpload(place, value) {
    if (value.beside && value.isBroken) return true;
    if (place === 'name') return value.isMissing || value.isBroken || [...value.bytes?.toString('utf8') ?? ''].length > 200;
    return place === 'type' && value.bytes?.includes(0);
}

/* ── answers ── */

const took = { honest: [], honestFiles: [], hostileFiles: [], ...Object.fromEntries(programNames.map((name) => [name, []])) };

async function askFor(wire, bytes, program, what, times) {
    const answer = await wire.ask(bytes);
    assert.ok(answer, `${what}: closed without an answer`);
    times.push(answer.ms);
    isHarmless(answer, what);
    hasUsualHeaders(program, answer, what);
    return answer;
}

/* Wrong passwords and codes are counted, and after some of them none is looked at any more. Here each is. */
async function isLookedAt(wire, bytes, program, what, times) {
    for (let tries = 0; tries < 4; tries++) {
        const answer = await askFor(wire, bytes, program, what, times);
        if (answer.status !== 429) return answer;
        times.pop();
        await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', path.join(instance.runDir, 'state/live.db'), 'DELETE FROM rate']);
    }
    throw new Error(`${what}: is not looked at`);
}

async function tryValue(wire, program, param, value, turn) {
    const what = `${program} ${param.name} = ${value.label} (${turn})`;
    const bytes = requestOf(program, param, value, turn);
    const isDrawn = program === 'form_submit' && bytes.toString('latin1', 0, 4) === 'GET '; // a form that is filled in already
    const answer = await isLookedAt(wire, bytes, program, what, took[program]);
    if (value.bytes?.length < 1000) assert.ok(!isEchoed(answer, value.bytes.toString('utf8')), `${what}: echoed: ${answer.body}`);
    if (mustRefuse(param, value) || (!isDrawn && isWrongAsSuch(param, value)))
        assert.ok(answer.status >= 400, `${what}: ${answer.status} ${answer.body.slice(0, 300)}`);
    if (turn % 10 === 0) took.honest.push((await wire.ask(bytesOf('GET', '/cgi_bin/form_submit'))).ms);
}

/* The name that a download has (RFC 8187), from a header that is ASCII and nothing else. */
function nameOf(answer, what) {
    const found = /^(attachment|inline); filename="([\x20-\x7e]*)"; filename\*=UTF-8''((?:[\w.~-]|%[0-9A-F]{2})+)$/
        .exec(answer.header('content-disposition'));
    assert.ok(found && !/["\\]/.test(found[2]), `${what}: ${answer.header('content-disposition')}`);
    return decodeURIComponent(found[3]);
}

/* An upload, and where it was taken, the file as its reader gets it: its own bytes, with a name that leads nowhere and no type of
 * its sender's. */
async function tryUpload(wire, param, place, value, turn) {
    const what = `file_put, the ${place} of a file = ${value.label} (${turn})`, { bytes, content } = uploadOf(param, place, value, turn);
    const answer = await askFor(wire, bytes, 'file_put', what, took.hostileFiles);
    if (turn % 10 === 0) took.honestFiles.push((await wire.ask(uploadOf(param, 'data', { bytes: Buffer.from('x') }, turn).bytes)).ms);
    if (mustRefuseUpload(place, value)) assert.ok(answer.status >= 400, `${what}: ${answer.status} ${answer.body.slice(0, 300)}`);
    if (answer.status !== 200) return;
    const query = `id=${JSON.parse(answer.body).file}&token=${known.customer.token}`;
    const got = await askFor(wire, bytesOf('GET', `/cgi_bin/file_get?${query}`), 'file_get', what, []);
    assert.equal(got.status, 200, what);
    assert.equal(got.header('content-type'), 'application/octet-stream', what);
    assert.equal(got.body, content.toString('utf8'), what);
    const name = nameOf(got, what);
    assert.doesNotMatch(name, /[\x00-\x1f\x7f/\\]|^$/, what);
    const isPlain = place === 'name' && turn % 2 && !/\\|%(0d|0a|22)/i.test(value.bytes?.toString() ?? value.raw);
    const kept = (value.bytes ?? Buffer.from(value.raw ?? '')).toString('utf8').replace(/^.*\//s, '').replace(/[\x00-\x1f\x7f]/g, '_');
    if (isPlain) assert.equal(name, kept || 'file', what);
}

/* Everything in a folder but what grows by itself, and the bytes of files. */
function placesOf(folder, below = '') {
    return fs.readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((one) => {
        const name = path.join(below, one.name);
        if (/^(tmp|state\/files)$/.test(name) || /^state\/(rtcc|live)\.db/.test(name)) return [];
        return one.isDirectory() ? [name, ...placesOf(folder, name)] : [name];
    }).sort();
}

/* All jobs, two at a time; gives what went wrong. */
async function allOf(jobs, tryOne) {
    const faults = [];
    await Promise.all([new Wire(instance.port), new Wire(instance.port)].map(async (wire) => {
        for (let job; (job = jobs.pop());) await tryOne(wire, ...job).catch((fault) => faults.push(fault.message));
        wire.close();
    }));
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults`);
}

/* ── the tests ── */

test('there are two hundred hostile values, all different', () => {
    const kinds = new Set(hostileValues.map(({ raw, bytes, beside, way }) => `${raw} ${bytes?.toString('hex')} ${way} ${beside}`));
    assert.ok(kinds.size >= 200, `${kinds.size}`);
});

/* What a program is asked by who means well: in the right way, then without anything, with nobody's token, by a wrong method, and
 * with too much. */
async function honestly(program) {
    const wire = new Wire(instance.port), statuses = new Set(), table = tableOf(program), target = `/cgi_bin/${program}`;
    for (let turn = 0; turn < 6; turn++) {
        const accept = `Accept: ${['application/json', 'text/html', 'application/xml'][turn % 3]}`;
        const requests = { right: requestOf(program, undefined, { isMissing: true }, turn),
            'by nobody': bytesOf('GET', `${target}?token=m_1_x&conf=1server&id=1`, [accept, 'Authorization: Bearer a_x']),
            'of nothing': bytesOf('POST', target, [accept, urlencodedType], Buffer.alloc(0)), 'by PUT': bytesOf('PUT', target, [accept]),
            'of too much': bytesOf('POST', target, [accept, urlencodedType], Buffer.alloc(140000, 'x')) };
        for (const [how, bytes] of Object.entries(requests)) {
            const what = `${program} asked ${how}, ${accept}`, answer = await askFor(wire, bytes, program, what, []);
            statuses.add(answer.status);
            if (how === 'right') assert.ok(answer.status < 400 || program === 'vcs_conf_delete', `${what}: ${answer.status} ${answer.body}`);
        }
    }
    wire.close();
    assert.ok(table.length && statuses.size >= 3, `${program}: ${[...statuses]}`);
}

test('nothing that a program can do is left out', () => {
    for (const [program, can] of Object.entries(actions)) {
        const said = tableOf(program).find(({ name }) => name === chooserOf(program)).about.replace(/\(.*?\)|staff:/g, '').split(/[,;] | or /);
        assert.deepEqual([...can, ...leftOut[program] ?? []].toSorted(), said.map((one) => one.trim()).toSorted());
    }
});

test('who means well gets the headers that everybody is to get, in the right way and in the wrong', async () => {
    for (const program of programNames) await honestly(program);
});

for (const program of programNames) {
    test(`${program}: two hundred hostile values in each parameter are a sentence where they are wrong, and do no harm`, async () => {
        const jobs = tableOf(program).filter(({ kind }) => kind !== 'file').flatMap((param, i) =>
            hostileValues.map((value, j) => [program, param, value, i + j]));
        await allOf(jobs, tryValue);
    });
}

test('a file with a hostile name, type or content is refused, or kept as a file and nothing else', async () => {
    const before = took.hostileFiles.length;
    for (const program of programNames) {
        const params = tableOf(program).filter(({ kind }) => kind === 'file');
        assert.equal(params.length, program === 'file_put' ? 1 : 0, program);
        await allOf(params.flatMap((param) => ['name', 'type', 'data'].flatMap((place, i) =>
            hostileValues.map((value, j) => [param, place, value, i + j]))), tryUpload);
    }
    assert.ok(took.hostileFiles.length - before >= 600);
    const files = fs.readdirSync(path.join(instance.runDir, 'state/files'));
    assert.deepEqual(files.filter((name) => !/^[\w-]{32}$/.test(name)), [], 'places have names of our own');
    assert.ok(files.length > 200, `${files.length} files`);
    assert.deepEqual(placesOf(instance.runDir), places, 'nothing else was made');
    assert.ok(!fs.existsSync('/tmp/injected'));
});

test('every form that was taken has got its room', async () => {
    await until(() => count(instance, 'request WHERE is_done = 0') === 0, 'no form is kept', 15000, 200);
    assert.ok(count(instance, 'request WHERE is_done = 1') > 200);
});

test('what was kept of all this is shown as it was sent, and never as markup', async () => {
    const { customer, staff, agent, key } = known, wire = new Wire(instance.port), conf = customer.conference;
    const member = `conf=${conf}&token=${customer.token}`, bearer = (token) => [`Authorization: Bearer ${token}`];
    const shown = [[`conf_view?${member}&part=page`, []], [`conf_view?${member}&part=log`, []], [`conf_view?${member}`, []],
        [`transcript?${member}`, []], [`transcript?${member}&format=json`, []], [`conf_poll?${member}&wait=0`, []],
        [`conf_poll?conf=${conf}&token=${staff.token}&wait=0`, []], ['agent_poll?wait=0', bearer(agent.token)], ['vcs', bearer(key)],
        ['queue?action=list', bearer(key)], ['status?format=metrics', []]];
    let seen = '';
    for (const [target, head] of shown) {
        for (const accept of ['application/json', 'text/html', 'application/xml']) {
            const answer = await wire.ask(bytesOf('GET', `/cgi_bin/${target}`, [`Accept: ${accept}`, ...head]));
            isHarmless(answer, target);
            hasUsualHeaders(target.split('?')[0], answer, target);
            for (const { bytes } of hostileValues) {
                const sent = bytes?.toString('utf8') ?? '';
                if (sent.includes('injected')) assert.ok(!isEchoed(answer, sent), `${target} as ${accept}: ${sent}`);
            }
            seen += answer.body;
        }
    }
    wire.close();
    assert.match(seen, /&lt;svg\/onload=injected/, 'some of it was kept');
});

/* The honest ones go between the hostile, so that they meet the same machine: they tell a slow machine from a slow program. */
test('p99 of the hostile is below 50 ms', () => {
    for (const name of programNames) {
        const own = p99(took[name]); // of some hundreds, in which a pause of the machine counts more
        console.log(`# ${name}: p99 ${own.toFixed(1)} ms of ${took[name].length}`);
        assert.ok(own < 100, `${name}: ${own} ms`);
    }
    const all = programNames.flatMap((name) => took[name]);
    for (const [kind, hostiles, honests, least] of [['requests', all, took.honest, 20000],
        ['uploads', took.hostileFiles, took.honestFiles, 600]]) {
        const hostile = p99(hostiles), honest = p99(honests);
        console.log(`# ${kind}: ${hostiles.length} hostile, p99 ${hostile.toFixed(1)} ms; honest ${honest.toFixed(1)} ms`);
        assert.ok(hostiles.length >= least, `${kind}: ${hostiles.length}`);
        assert.ok(hostile < 50, `${kind}: ${hostile} ms, honest ${honest} ms`);
    }
});

/* The logs with all that was asked until now: each process of the web server writes its own within a second. */
async function logsWith(wire, target) {
    await wire.ask(bytesOf('GET', target));
    await until(() => instance.log('access').includes(`"GET ${target} HTTP/1.1" 404`), 'the log is written');
    await sleep(1200);
    return soundLogs(instance);
}

test('nothing of all this stands in a log, nor a secret; a path and the name of a browser only without what a terminal obeys', async () => {
    const { customer, staff, agent, key, participant, leader } = known, wire = new Wire(instance.port);
    const secrets = [customer.token, staff.token, agent.token, agent.csrf, key, instance.password, participant, leader];
    const hasNoSecret = (logs) => Object.entries(logs).forEach(([name, text]) => secrets.forEach((secret) =>
        assert.ok(!text.includes(secret), `${name}: ${text.split('\n').find((line) => line.includes(secret))}`)));
    const logs = await logsWith(wire, '/cgi_bin/all_was_sent');
    for (const [name, text] of Object.entries(logs)) assert.equal(/.*injected.*/i.exec(text)?.[0], undefined, name);
    const asked = programNames.reduce((sum, name) => sum + took[name].length, 0);
    assert.ok(logs['access.log'].split('\n').length > asked && logs['rtcc.log'].length > 1000, 'they are kept');
    hasNoSecret(logs);
    for (const { bytes } of hostileValues.filter((value) => value.bytes?.length < 2000)) {
        const browser = bytes.toString('latin1').replace(/[\0\r\n]/g, ''); // these end a header, or the request
        for (const target of [`/${escaped(bytes)}`, `/cgi_bin/vcs_call/${escaped(bytes)}`, `/call/${participant}${escaped(bytes)}`])
            assert.ok((await wire.ask(bytesOf('GET', target, [`User-Agent: ${browser}`, `Referer: ${browser}`])))?.status < 500, target);
    }
    hasNoSecret(await logsWith(wire, '/cgi_bin/all_was_logged'));
    wire.close();
});
