/* The common rules of the wire contract, held by every program: addresses, methods, parameters, forms of answers and errors. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { find, get, multipart, post, request } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { agentPoll, ask, waitForOffer } from '../lib/people.js';
import { tableOf } from '../lib/table.js';
import { largestRequests } from '../lib/ways.js';
import { hasMembers, html, isError, isErrorPage, json, onDuty, room, schedule, textAt, xml } from '../lib/wire.js';

const both = ['GET', 'HEAD', 'POST'], reads = ['GET', 'HEAD'], writes = ['POST'];
const programs = { form_submit: both, vcs_conf_schedule: both, vcs_conf_delete: both, vcs: both, vcs_call: both, queue: both,
    conf_view: reads, conf_poll: reads, conf_post: writes, file_put: writes, file_get: reads, transcript: reads,
    agent_sign: writes, agent_poll: reads, agent_act: writes, status: reads };
const names = Object.keys(programs);
const url = (name) => `/cgi_bin/${name}`;
const isXml = (name) => name.startsWith('vcs');

let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const listed = async () => find((await get(base, url('vcs'))).xml(), 'conference').length;

/* ── addresses and methods ── */

test('every program answers under cgi_bin and under cgi-bin', async () => {
    for (const name of names) {
        const [method] = programs[name];
        const one = await request(base, method, `/cgi_bin/${name}`), other = await request(base, method, `/cgi-bin/${name}`);
        assert.equal(one.status, other.status, name);
        assert.equal(one.headers['content-type'], other.headers['content-type'], name);
        assert.doesNotMatch(one.body, /nothing at this address/, name);
    }
});

test('a method that an entry does not name is 405 with the right Allow, in the form of the program', async () => {
    for (const name of names) {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
            if (programs[name].includes(method)) continue;
            isError(await request(base, method, url(name), json), 'bad_method', null);
            const answer = await request(base, method, url(name), isXml(name) ? {} : json);
            assert.equal(answer.headers.allow, programs[name].join(', '), name);
            assert.equal(isError(answer, 'bad_method').form, isXml(name) ? 'xml' : 'json');
            isErrorPage(await request(base, method, url(name), html), 405);
        }
    }
});

test('GET implies HEAD: the same head, no body', async () => {
    const { customer } = await room(base);
    const member = { conf: customer.conference, token: customer.token };
    const asked = { form_submit: {}, vcs: {}, vcs_conf_schedule: { reqid: 'head' }, queue: { action: 'list' },
        conf_view: { ...member, part: 'page' }, conf_poll: member, transcript: { ...member, format: 'txt' }, status: {},
        file_get: { id: 1 }, agent_poll: {}, vcs_conf_delete: {}, vcs_call: { action: 'list' } };
    for (const [name, query] of Object.entries(asked)) {
        const whole = await get(base, url(name), query), head = await request(base, 'HEAD', url(name), { query });
        assert.equal(head.status, whole.status, name);
        assert.equal(head.bytes.length, 0, name);
        assert.equal(head.headers['content-type'], whole.headers['content-type'], name);
        assert.equal(head.headers['content-length'], String(whole.bytes.length), name);
    }
});

/* ── parameters ── */

test("query parameters come before the body's, and of a name given twice the first counts", async () => {
    const subject = async (path, body) => textAt((await request(base, 'POST', `${url('vcs_conf_schedule')}${path}`,
        { type: 'application/x-www-form-urlencoded', body })).xml(), 'subject');
    assert.equal(await subject('?subject=query', 'subject=body'), 'query');
    assert.equal(await subject('', 'subject=first&subject=second'), 'first');
    assert.equal(await subject('?subject=a&subject=b', 'subject=c'), 'a');
    assert.equal(await subject('?x=1', 'subject=body'), 'body');
});

test('empty parts and unknown names are ignored', async () => {
    const answer = await get(base, `${url('vcs_conf_schedule')}?&&conf_type=reservationless&&&nonsense=1&empty&subject=here&`);
    assert.equal(answer.status, 200);
    assert.equal(textAt(answer.xml(), 'subject'), 'here');
});

test('256 parameters are taken, 257 are 400, wherever they stand', async () => {
    const some = (count) => Array.from({ length: count }, (_, i) => `x${i}=1`).join('&');
    const ask = (query, body) => request(base, 'POST', `${url('vcs')}?${query}`, { ...json,
        type: 'application/x-www-form-urlencoded', body });
    assert.equal((await ask(some(256), '')).status, 200);
    assert.equal((await ask('', some(256))).status, 200);
    assert.equal((await ask(some(100), some(156))).status, 200);
    for (const [query, body] of [[some(257), ''], ['', some(257)], [some(100), some(157)]]) {
        assert.match(isError(await ask(query, body), 'bad_parameter').reason, /256/);
    }
});

test('a malformed body is 400', async () => {
    const cut = multipart({ subject: 'x' });
    const bodies = [['application/x-www-form-urlencoded', 'subject=%zz'], ['application/x-www-form-urlencoded', 'subject=%e'],
        ['application/x-www-form-urlencoded', 'a%ff=1'], ['text/plain', 'subject=x'],
        ['application/json', '{"subject":"x"}'], ['multipart/form-data', 'subject=x'],
        [cut.type, cut.body.subarray(0, cut.body.length - 8)], ['', 'subject=x']];
    const before = await listed();
    for (const [type, body] of bodies) {
        isError(await request(base, 'POST', url('vcs_conf_schedule'), { type: type || 'x/', body }), 'bad_parameter');
    }
    assert.equal(await listed(), before, 'nothing was scheduled');
});

test('multipart is taken as the urlencoded form is', async () => {
    const answer = await request(base, 'POST', url('vcs_conf_schedule'), { multipart: { subject: 'größer & kleiner' } });
    assert.equal(textAt(answer.xml(), 'subject'), 'größer & kleiner');
});

test('in phone a leading space means +', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    for (const [sent, kept] of [['+16035551234', '+16035551234'], ['%2B4930123456', '+4930123456'], ['6035551234',
        '+16035551234']]) {
        const body = `name=Ann&phone=${sent}`;
        const type = 'application/x-www-form-urlencoded';
        const answer = await request(base, 'POST', url('form_submit'), { type, body, ...json });
        assert.equal(answer.status, 200, answer.body);
        const offer = await waitForOffer(instance, agent, answer.json().conference);
        assert.equal(offer.customer.phone, kept);
        const form = { conf: answer.json().conference, token: answer.json().token, kind: 'leave' };
        assert.equal((await post(base, url('conf_post'), form)).status, 200);
    }
    const bearer = agent.token;
    const put = (phone) => request(base, 'POST', `${url('agent_act')}?action=settings&phone=${phone}`, { bearer });
    assert.equal((await put('+16035550000')).json().agent.phone, '+16035550000');
    isError(await put('abc'), 'bad_parameter', 'phone');
});

/* Values that satisfy what a program insists on, so that the fault that is looked for is the first. */
const needed = { form_submit: { name: 'Ann', phone: '6035551234' }, vcs_conf_delete: { delete_vanity: '0000000' },
    queue: { action: 'list' }, conf_view: { conf: 'x' },
    conf_poll: { conf: 'x' }, conf_post: { conf: 'x', kind: 'message' }, file_put: { conf: 'x' }, file_get: { id: 1 },
    transcript: { conf: 'x' }, agent_act: { action: 'ready' } };

const isDirect = (program, one) => one.kind === 'line' || (one.kind === 'text' && program !== 'form_submit');

test('NUL and invalid UTF-8 are 400 naming the parameter, in every parameter of every program', async () => {
    for (const program of names) {
        const table = tableOf(program);
        assert.ok(table.length > 0 || program === 'status', program);
        for (const one of table.filter(({ kind }) => kind !== 'file')) {
            for (const bytes of ['a%00b', '%ff', '%c0%af', '%ed%a0%80', 'a%C3']) {
                const query = `${one.name}=${bytes}&${new URLSearchParams(needed[program])}`;
                const method = programs[program][0];
                isError(await request(base, method, `${url(program)}?${query}`, json), 'bad_parameter', one.name);
            }
        }
    }
});

test('a value over its limit is 400 naming the parameter, in every parameter of every program', async () => {
    for (const program of names) {
        for (const one of tableOf(program).filter(({ name, kind }) => kind !== 'file' && name !== 'token' && name !== 'csrf')) {
            const wrong = one.kind === 'whole number' ? ['x', '-1', '1.5', String(one.max + 1), '99999999999999999999']
                : one.kind === '0 or 1' ? ['2', 'maybe']
                    : isDirect(program, one) ? ['x'.repeat(one.max + 1), '\u{1f600}'.repeat(one.max + 1)] : ['x'.repeat(4001)];
            for (const value of wrong) {
                const form = { ...needed[program], [one.name]: value };
                const file = { name: 'a', type: 'text/plain', data: 'x' };
                const answer = program === 'file_put' ? await request(base, 'POST', url(program), { multipart: { ...form, file },
                    ...json })
                    : programs[program][0] === 'GET' && value.length < 2000 ? await get(base, url(program), form, json)
                        : await post(base, url(program), form, json);
                if (answer.status === 405) continue; // too long for an address, and there is no body in a GET
                if (answer.status === 413 && one.max > 8000) continue; // more than a whole request may have
                isError(answer, 'bad_parameter', one.name);
            }
        }
    }
});

test('the largest request comes whole, and one byte more is 413', async () => {
    await largestRequests(instance);
});

test('limits count characters, not bytes', async () => {
    for (const one of ['x', 'ß', '漢', '\u{1f600}']) {
        const answer = await post(base, url('vcs_conf_schedule'), { subject: one.repeat(255) });
        assert.equal(answer.status, 200, one);
        assert.equal(textAt(answer.xml(), 'subject'), one.repeat(255));
        isError(await post(base, url('vcs_conf_schedule'), { subject: one.repeat(256) }), 'bad_parameter', 'subject');
    }
});

test('what a program insists on is 400 naming it when it is missing or empty', async () => {
    for (const program of names) {
        for (const one of tableOf(program).filter(({ required }) => required)) {
            const rest = { ...needed[program] };
            delete rest[one.name];
            const method = programs[program][0];
            isError(await request(base, method, url(program), { query: rest, ...json }), 'bad_parameter', one.name);
            isError(await request(base, method, url(program), { query: { ...rest, [one.name]: '' }, ...json }), 'bad_parameter',
                one.name);
        }
    }
});

/* ── the forms of answers ── */

test('vcs* answer XML, and the same as JSON with Accept: application/json', async () => {
    const { id, participant } = await schedule(base);
    for (const [name, query, root] of [['vcs', {}, 'conferences'], ['vcs_conf_schedule', { reqid: 'forms' }, 'conference'],
        ['vcs_call', { action: 'list', vanity: participant, call_callid: id }, 'calls']]) {
        for (const options of [{}, xml, { accept: '*/*' }]) {
            const answer = await get(base, url(name), query, options);
            assert.match(answer.headers['content-type'], /^application\/xml; *charset=utf-8$/i);
            assert.match(answer.body, /^<\?xml version="1.0" encoding="UTF-8"\?>\n/);
            assert.equal(answer.xml().name, root);
        }
        const answer = await get(base, url(name), query, json);
        assert.equal(answer.headers['content-type'], 'application/json');
        answer.json();
    }
});

test('queue answers JSON by default, and XML when that is asked for', async () => {
    for (const options of [{}, json, { accept: '*/*' }]) {
        assert.deepEqual((await get(base, url('queue'), { action: 'list' }, options)).json(), { invitations: [] });
    }
    const asXml = await get(base, url('queue'), { action: 'list' }, xml);
    assert.equal(asXml.xml().name, 'queue');
    assert.equal(isError(await get(base, url('queue'), { action: 'x' }, xml), 'bad_parameter', 'action').form, 'xml');
});

test('views and the form answer HTML, all others JSON', async () => {
    const { customer } = await room(base);
    const member = { conf: customer.conference, token: customer.token };
    for (const [name, query] of [['form_submit', {}], ['conf_view', { ...member, part: 'log' }]]) {
        assert.match((await get(base, url(name), query)).headers['content-type'], /^text\/html; *charset=utf-8$/i);
    }
    for (const [name, query] of [['conf_poll', member], ['transcript', { ...member, format: 'json' }]]) {
        assert.equal((await get(base, url(name), query)).headers['content-type'], 'application/json');
    }
    const posted = await post(base, url('conf_post'), { ...member, kind: 'message', text: 'x' });
    assert.equal(posted.headers['content-type'], 'application/json');
});

test('an error is XML, JSON or a page, as the answer would have been', async () => {
    const forms = [[{}, 'own'], [json, 'json'], [xml, 'xml'], [{ accept: '*/*' }, 'own'], [html, 'page'],
        [{ accept: 'text/html, application/json' }, 'json'], [{ accept: 'application/json;q=0.5, text/html' }, 'json'],
        [{ accept: 'text/html;q=0, text/xml' }, 'xml']];
    const asked = { vcs_conf_delete: ['xml', { delete_vanity: 'x' }], vcs_call: ['xml', { action: 'x' }],
        queue: ['json', { action: 'x' }], conf_poll: ['json', { conf: 'x', wait: 99 }], transcript: ['json', {}],
        conf_view: ['page', {}] };
    for (const [name, [own, query]] of Object.entries(asked)) {
        for (const [options, wanted] of forms) {
            const form = wanted === 'own' ? own : wanted, answer = await get(base, url(name), query, options);
            const what = `${name} with Accept ${options.accept}: ${answer.status} ${answer.body}`;
            assert.ok(answer.status === 400 || answer.status === 404, what);
            if (form === 'page') isErrorPage(answer, answer.status);
            else assert.equal(isError(answer, answer.status === 404 ? 'not_found' : 'bad_parameter').form, form, what);
        }
    }
});

test('the three forms of an error have the shape of the contract', async () => {
    const query = { conf_type: 'round' };
    const asXml = await get(base, url('vcs_conf_schedule'), query);
    assert.match(asXml.body.replace(/>\s+</g, '><'),
        new RegExp('^<\\?xml version="1.0" encoding="UTF-8"\\?>\\s*<message type="error">' +
        '<code>bad_parameter</code><parameter>conf_type</parameter><reason>[^<]+</reason></message>\\s*$'));
    const { error } = (await get(base, url('vcs_conf_schedule'), query, json)).json();
    hasMembers(error, 'code', 'parameter', 'reason');
    assert.equal(error.parameter, 'conf_type');
    const sentence = isErrorPage(await get(base, url('vcs_conf_schedule'), query, html), 400);
    assert.equal(sentence, error.reason);
});

test('what a person or a program sent is escaped in every form of an error', async () => {
    const query = { action: '<b>&"\'</b>' };
    for (const options of [json, xml]) isError(await get(base, url('vcs_call'), { ...query, vanity: 'x' }, options), 'not_found');
    const asked = await get(base, url('queue'), query, html);
    assert.doesNotMatch(asked.body, /<b>/);
    isErrorPage(asked, 400);
});

/* ── headers ── */

test('every answer of a program has the security headers and is not kept, and none allows other origins', async () => {
    for (const name of names) {
        for (const headers of [{}, { Origin: 'http://evil.example' }]) {
            const answer = await request(base, programs[name][0], url(name), { headers });
            assert.equal(answer.headers['referrer-policy'], 'same-origin', name);
            assert.equal(answer.headers['x-content-type-options'], 'nosniff', name);
            assert.equal(answer.headers['cache-control'], 'no-store', name);
            assert.match(answer.headers['content-security-policy'], /script-src 'self'.*frame-ancestors 'self'/, name);
            const cors = Object.keys(answer.headers).filter((one) => one.startsWith('access-control'));
            assert.deepEqual(cors, [], name);
        }
    }
});

test("a browser's question before a foreign request is refused", async () => {
    for (const name of names) {
        const headers = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
        const answer = await request(base, 'OPTIONS', url(name), { headers, ...json });
        assert.equal(answer.status, 405, name);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
});

/* ── bad input ── */

/* A small generator with a seed: the same requests in every run. */
function randomOf(seed) {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 4294967296 * below);
    };
}

test('bad input is never a 500, and the answer is always one of the contract', async () => {
    const random = randomOf(20240607), pick = (list) => list[random(list.length)];
    const values = ['', '0', '-1', '1', '9007199254740993', 'a', '\u{1f600}', "'; DROP TABLE event; --", '<script>',
        '../../etc/passwd',
        '%', 'm_1_x', 'add', 'put', 'x'.repeat(300), '\r\nSet-Cookie: a=b', '0000000', '000000000000000server', 'true', 'null'];
    for (let i = 0; i < 400; i++) {
        const program = pick(names), method = pick(['GET', 'POST']), form = {};
        for (let n = random(6); n > 0; n--) form[pick(tableCache(program)).name] = pick(values);
        const options = { ...pick([{}, json, html, xml]), ...pick([{}, { bearer: pick(values.slice(3,
            12)).replace(/[^\x20-\x7e]/g, '') }]) };
        const answer = await request(base, method, url(program), { ...options, [method === 'GET' ? 'query' : 'form']: form,
            from: '127.0.0.9' });
        const what = `${method} ${program} ${JSON.stringify(form)}: ${answer.status}`;
        assert.ok([200, 303, 400, 401, 403, 404, 405, 409, 413, 429, 503].includes(answer.status), what);
        if (answer.status === 503) assert.match(answer.body, /[Tt]elephone|phone/, what);
        assert.equal(answer.headers['set-cookie']?.some((line) => line.startsWith('a=b')) ?? false, false, what);
    }
    assert.equal((await get(base, url('status'))).status, 200);
    assert.doesNotMatch(instance.log(), /error:|assert/i);
});

const tables = {};
const tableCache = (program) => {
    tables[program] ??= tableOf(program);
    return tables[program].length ? tables[program] : [{ name: 'x' }];
};

test('nothing is half-made after an error', async () => {
    const conferences = await listed();
    isError(await get(base, url('vcs_conf_schedule'), { subject: 'x', start_year: 2030, end_year: 2029 }), 'bad_parameter',
        'end_year');
    isError(await get(base, url('vcs_conf_schedule'), { start_year: 2030, start_month: 2, start_day: 30 }), 'bad_parameter',
        'start_day');
    assert.equal(await listed(), conferences);
    const { id, participant, customer } = await room(base);
    isError(await post(base, url('queue'), { action: 'put', conf: id, url: 'ftp://x/' }), 'bad_parameter', 'url');
    assert.deepEqual((await get(base, url('queue'), { action: 'list' })).json(), { invitations: [] });
    isError(await post(base, url('vcs_call'), { vanity: participant, call_callid: id, name: 'x'.repeat(101) }), 'bad_parameter',
        'name');
    isError(await post(base, url('conf_post'), { conf: id, token: customer.token, kind: 'message' }), 'bad_parameter', 'text');
    const { events } = (await get(base, url('conf_poll'), { conf: id, token: customer.token })).json();
    assert.deepEqual(events.map((one) => one.kind), ['joined', 'joined', 'state']);
});

/* ── times and ids ── */

test('times are whole milliseconds in names ending in _at, durations whole seconds in names ending in _s', async (t) => {
    const agent = await onDuty(t, instance, 'ben');
    const customer = await ask(instance);
    await waitForOffer(instance, agent, customer.conference);
    const seen = { at: 0, s: 0 };
    const look = (name, value) => {
        if (value && typeof value === 'object') Object.entries(value).forEach(([key, one]) => look(key, one));
        if (name.endsWith('_at') || name === 'at') {
            assert.ok(Number.isSafeInteger(value) && Math.abs(value - Date.now()) < 600000, `${name} ${value}`);
            seen.at++;
        } else if (name.endsWith('_s') && value !== null) {
            assert.ok(Number.isSafeInteger(value) && value >= 0 && value < 1000, `${name} ${value}`);
            seen.s++;
        }
    };
    look('', await agentPoll(instance, agent));
    look('', (await get(base, url('queue'), { action: 'list' })).json());
    look('', (await get(base, url('queue'), { action: 'trace', conf: customer.conference })).json());
    assert.ok(seen.at > 4 && seen.s >= 2, JSON.stringify(seen));
});

test('no id is used twice', async () => {
    const seen = new Set();
    for (let i = 0; i < 5; i++) {
        const one = await room(base), { events } = (await get(base, url('conf_poll'),
            { conf: one.id, token: one.customer.token })).json();
        for (const id of [one.id, `m${one.customer.member}`, `m${one.agent.member}`, ...events.map((event) => `e${event.id}`)]) {
            assert.ok(!seen.has(id), `${id} again`);
            seen.add(id);
        }
        assert.ok(events.every((event) => Number.isSafeInteger(event.id)));
    }
});
