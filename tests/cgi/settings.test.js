/* rtcc.conf: a wrong line stops every program with a sentence, and every setting does what it says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPlace, runToEnd } from '../lib/cgi.js';
import { buildFolder, sleep, tree } from '../lib/instance.js';
import { conferenceOf, html, isError, json, setCookies, textAt } from '../lib/wire.js';

const programs = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c')).map((name) => name.slice(0,
    -2));
const password = 'correct horse 42';
let place, server;
before(async () => {
    place = await newPlace();
    assert.equal((await place.command(['agent', 'add', 'anna', 'Anna', 'agent'], `${password}\n`)).status, 0);
    server = await place.serve();
});
after(async () => {
    await server.close();
    place.clear();
});

/* The place with these settings. form_submit finds the other programs through the test's own server. */
function set(settings = {}) {
    const here = `http://127.0.0.1:${server.port}`;
    place.write({ collaboration_url: here, queue_url: here, ...settings });
}

const get = (program, query, options) => place.run(program, 'GET', { query, ...options });
const post = (program, form, options) => place.run(program, 'POST', { form, ...options });
const well = (answer) => { assert.equal(answer.status, 200, answer.body + answer.stderr); return answer; };
const scheduled = async () => conferenceOf(well(await get('vcs_conf_schedule')).xml());
const good = { name: 'Ann', phone: '+16035551234' };

async function member() {
    const { id, participant } = await scheduled();
    return { conf: id, token: well(await get('vcs_call', { vanity: participant }, json)).json().member.token };
}

/* ── wrong lines ── */

const wrong = [['hold_s many', /hold_s/, /many/], ['hold_s 26', /hold_s/, /0 to 25/], ['colour red', /colour/, /hold_s/],
    ['offer_s 0', /offer_s/, /1 to 3600/], ['trust_loopback maybe', /trust_loopback/, /on or off/], ['state_dir here',
        /state_dir/, /absolute/],
    ['public_url ftp://x', /public_url/, /http/], ['instance a-b', /instance/, /letters/], ['site_name', /site_name/, /1 to 100/],
    ['country +1', /country/, /digits/], ['form_required name,shoe', /form_required/, /shoe|list/], ['gone_s 10', /gone_s/,
        /hold_s/],
    ['opening_hours Mo 9-17', /opening_hours/, /Mo-Fr 09:00/], ['time_zone Mars', /time_zone/, /Europe\/Paris/],
    ['server_name 1st', /server_name/, /letter/], ['password_cost 12', /password_cost/, /1 to 11/]];

test('a wrong line stops the program with a sentence that names file and line', async () => {
    for (const [line, key, why] of wrong) {
        set();
        const lines = fs.readFileSync(place.conf, 'utf8').split('\n').filter((one) => one && !one.startsWith(line.split(' ')[0]));
        fs.writeFileSync(place.conf, ['# a comment', '', ...lines, line, ''].join('\n'));
        const env = { RTCC_CONF: place.conf, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET' };
        const ended = await runToEnd(path.join(buildFolder, 'cgi-bin/status'), [], env);
        assert.notEqual(ended.status, 0, line);
        assert.equal(ended.signal, null, 'it ends, it does not crash');
        assert.equal(ended.stdout.length, 0);
        assert.ok(ended.stderr.includes(`${place.conf}, line ${lines.length + 3}: `), ended.stderr);
        assert.match(ended.stderr, key);
        assert.match(ended.stderr, why);
    }
});

test('every program and the command refuse the same way', async () => {
    set();
    fs.appendFileSync(place.conf, 'nonsense 1\n');
    const env = { RTCC_CONF: place.conf, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET' };
    for (const program of programs) {
        const ended = await runToEnd(path.join(buildFolder, 'cgi-bin', program), [], env);
        assert.notEqual(ended.status, 0, program);
        assert.match(ended.stderr, /line \d+: there is no setting "nonsense"/, program);
    }
    const command = await place.command(['agent', 'list']);
    assert.notEqual(command.status, 0);
    assert.match(command.stderr, /line \d+: there is no setting "nonsense"/);
});

test('a key given twice and a file that is not there are said', async () => {
    set();
    fs.appendFileSync(place.conf, 'owner a\nowner b\n');
    const ask = (conf) => runToEnd(path.join(buildFolder, 'cgi-bin/status'), [], { RTCC_CONF: conf,
        GATEWAY_INTERFACE: 'CGI/1.1' });
    const twice = await ask(place.conf);
    assert.match(twice.stderr, /line \d+: owner is set in line \d+ already/);
    const none = await ask(`${place.conf}.away`);
    assert.notEqual(none.status, 0);
    assert.ok(none.stderr.includes(`${place.conf}.away`) && /No such file/.test(none.stderr), none.stderr);
});

/* ── what they do ── */

test('server_name ends the ids, owner is the default owner', async () => {
    set({ server_name: 'node7.example', owner: 'desk@example.com' });
    const answer = well(await get('vcs_conf_schedule')).xml();
    assert.match(answer.attributes.id, /^\d{15}node7\.example$/);
    assert.equal(textAt(answer, 'owner'), 'desk@example.com');
    assert.equal(textAt(well(await get('vcs_conf_schedule', { owner: 'me' })).xml(), 'owner'), 'me');
});

test('public_url is in every address that is given out', async () => {
    set({ public_url: 'https://support.example' });
    const { id, participant } = await scheduled();
    const { window } = well(await get('vcs_call', { vanity: participant, call_callid: id }, json)).json();
    assert.ok(window.startsWith('https://support.example/cgi_bin/conf_view?'), window);
    assert.match(well(await get('vcs_conf_schedule')).body, /<url>https:\/\/support\.example\/cgi_bin\/vcs_call/);
});

test('without public_url the addresses are as the Host header says, if it is one', async () => {
    set();
    const windowFor = async (env) => well(await post('vcs_conf_schedule', {}, { env, ...json })).json().url[0];
    assert.ok((await windowFor({ HTTP_HOST: 'localhost:8080' })).startsWith('http://localhost:8080/'));
    assert.ok((await windowFor({ HTTP_HOST: '[::1]:81', HTTPS: 'on' })).startsWith('https://[::1]:81/'));
    const { token } = well(await post('agent_sign', { login: 'anna', password })).json();
    for (const host of ['a"><script>', 'a b', 'a/b', 'x@y', 'a\u0000b'.replace('\u0000', ''), '']) {
        const answer = await post('vcs_conf_schedule', {}, { env: { HTTP_HOST: host }, bearer: token, ...json });
        assert.doesNotMatch(well(answer).json().url[0], /script| |@|a\/b/);
    }
});

test('form_required says what the form insists on', async () => {
    set({ form_required: 'name,question,email' });
    const page = well(await get('form_submit')).body;
    for (const name of ['name', 'phone', 'question', 'email', 'topic']) {
        const field = new RegExp(`<(?:input|textarea|select)[^>]* name="${name}"[^>]*>`).exec(page)?.[0] ?? '';
        assert.equal(/ required/.test(field), ['name', 'question', 'email'].includes(name), name);
    }
    for (const missing of ['question', 'email']) {
        const form = { name: 'Ann', question: 'x', email: 'a@example.com', [missing]: '' };
        isError(await post('form_submit', form, json), 'bad_parameter', missing);
    }
    well(await post('form_submit', { name: 'Ann', question: 'x', email: 'a@example.com' }, json));
    set({ form_required: '' });
    well(await post('form_submit', {}, json));
});

test('topics are offered, country is put before national numbers', async () => {
    set({ topics: 'Orders, Returns', country: '49' });
    const page = well(await get('form_submit')).body;
    assert.deepEqual([...page.matchAll(/<option[^>]*>([^<]+)/g)].map(([, name]) => name).slice(-2), ['Orders', 'Returns']);
    const { token: bearer } = well(await post('agent_sign', { login: 'anna', password })).json();
    const phone = async (number) => well(await post('agent_act', { action: 'settings', phone: number },
        { bearer })).json().agent.phone;
    assert.equal(await phone('030 123456'), '+4930123456');
    assert.equal(await phone('+1 603 555 1234'), '+16035551234');
});

test('site_name and phone_number are on the pages', async () => {
    set({ site_name: 'Acme & Söhne', phone_number: '+1 603 555 0100' });
    for (const body of [well(await get('form_submit')).body, (await get('conf_view', { conf: 'x' }, html)).body]) {
        assert.match(body, /Acme &amp; Söhne/);
        assert.match(body, /\+1 603 555 0100/);
    }
    set({ site_name: 'Acme' });
    assert.doesNotMatch((await get('conf_view', { conf: 'x' }, html)).body, /603/);
});

test('instance is in the names of cookies', async () => {
    set({ instance: 'blue_7' });
    const signed = well(await post('agent_sign', { login: 'anna', password }));
    assert.deepEqual(Object.keys(setCookies(signed)), ['blue_7_agent']);
});

test('session_s ends a session', async () => {
    set({ session_s: 1 });
    const { token: bearer } = well(await post('agent_sign', { login: 'anna', password })).json();
    well(await get('agent_poll', { wait: 0 }, { bearer }));
    await sleep(1100);
    isError(await get('agent_poll', { wait: 0 }, { bearer }), 'unauthorized');
});

test('trust_loopback, trusted_hosts and limit_exempt', async () => {
    set({ trust_loopback: 'off' });
    isError(await get('vcs'), 'unauthorized');
    set({ trusted_hosts: 'desk.example,other.example' });
    well(await get('vcs', {}, { env: { HTTP_HOST: 'other.example' } }));
    isError(await get('vcs', {}, { env: { HTTP_HOST: 'evil.example' } }), 'unauthorized');
    set({ limit_exempt: 'off' });
    const faulty = () => post('form_submit', { name: '' }, { env: {}, from: '127.0.0.1', ...json });
    const statuses = [];
    for (let i = 0; i < 31; i++) statuses.push((await faulty()).status);
    assert.ok(statuses.includes(429), 'then 127.0.0.1 counts too');
    set();
    isError(await faulty(), 'bad_parameter');
});

test('file_max_bytes is the limit, to the byte', async () => {
    set({ file_max_bytes: 2048 });
    const who = await member(), file = (bytes) => ({ name: 'a', type: 'x/y', data: Buffer.alloc(bytes) });
    const send = (bytes) => place.run('file_put', 'POST', { multipart: { ...who, file: file(bytes) }, ...json });
    well(await send(2048));
    isError(await send(2049), 'too_large');
    assert.match(well(await get('conf_view', { conf: who.conf }, { bearer: who.token, ...html })).body, /data-file-max="2048"/);
});

test('room_max_bytes is what all files of a conversation may have', async () => {
    set({ room_max_bytes: 1048576 });
    const who = await member(), file = (bytes) => ({ name: 'a', type: 'x/y', data: Buffer.alloc(bytes) });
    const send = (bytes) => place.run('file_put', 'POST', { multipart: { ...who, file: file(bytes) }, ...json });
    well(await send(1048576 - 4096));
    isError(await send(4097), 'too_large');
    well(await send(1)); // it counts 4,096 bytes
    isError(await send(0), 'too_large');
});

test('hold_s and cgi_hold_s bound a wait, the shorter one wins', async () => {
    for (const [hold, cgiHold, least, most] of [[0, 5, 0, 700], [1, 5, 900, 2500], [5, 1, 900, 2500], [5, 0, 0, 700]]) {
        set({ hold_s: hold, cgi_hold_s: cgiHold });
        const who = await member(), { after: cursor } = well(await get('conf_poll', who)).json();
        const answer = well(await get('conf_poll', { ...who, after: cursor, wait: 20 }));
        assert.ok(answer.ms >= least && answer.ms < most, `hold_s ${hold}, cgi_hold_s ${cgiHold}: ${answer.ms} ms`);
    }
});

test('capacity is what a new agent is given', async () => {
    set({ capacity: 7 });
    assert.equal((await place.command(['agent', 'add', 'carl', 'Carl', 'agent'], `${password}\n`)).status, 0);
    const { token: bearer } = well(await post('agent_sign', { login: 'carl', password })).json();
    assert.equal(well(await get('agent_poll', { wait: 0 }, { bearer })).json().agent.capacity, 7);
});

test('service_key_file is where form_submit finds its key', async () => {
    const key = path.join(place.folder, 'own.key');
    set({ service_key_file: key, trust_loopback: 'off' });
    assert.equal((await post('form_submit', good, json)).status, 202, 'without a key nobody listens to it');
    fs.writeFileSync(key, (await place.command(['key', 'add', 'x'])).stdout);
    well(await post('form_submit', good, json));
    set();
});

test('pages_dir without templates is a plain error, not a crash', async () => {
    set({ pages_dir: '/nonexistent/htdocs' });
    const answer = await get('form_submit', {}, html);
    assert.equal(answer.status, 503);
    assert.equal(answer.exit, 0);
    assert.match((await get('status')).body, /^pages +NOT OK /m);
    set();
});

test('rtcc settings prints every setting with its default and meaning, and its output is a file that works', async () => {
    set();
    const { status, stdout } = await place.command(['settings']);
    assert.equal(status, 0);
    const source = fs.readFileSync(path.join(tree, 'lib/io/settings.h'), 'utf8');
    const keys = [...source.matchAll(/^ {4}(?:const char \*|bool |int64_t )(\w+);/gm)].map(([, name]) => name);
    assert.ok(keys.length >= 20);
    for (const key of keys) assert.match(stdout, new RegExp(`^# .+\\n#${key}( .*)?$`, 'm'), key);
    const uncommented = stdout.replace(/^#([a-z_]+ .*)$/gm, '$1').replace(/^state_dir.*$/m, `state_dir ${place.state}`)
        .replace(/^pages_dir.*$/m, `pages_dir ${path.join(tree, 'htdocs')}`);
    fs.writeFileSync(place.conf, uncommented);
    well(await get('vcs'));
    set();
});
