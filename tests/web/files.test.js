/* file_put and file_get: files into a conference, whole and in pieces, and out of it again. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post, request } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { allEvents, confPoll, sendFile } from '../lib/people.js';
import { errorOf, html, isError, isErrorPage, join, json, only, room } from '../lib/wire.js';

const MOST = 300000, ROOM = 1048576, LEAST = 4096; // what a file counts at least
let instance, base, usual;
before(async () => {
    [instance, usual] = await Promise.all([startInstance({ settings: { file_max_bytes: MOST, room_max_bytes: ROOM } }), startInstance()]);
    ({ base } = instance);
});
after(() => Promise.all([instance.stop(), usual.stop()]));

const bytes = (count) => randomBytes(count);
const digest = (data) => createHash('sha256').update(data).digest('hex');
const fileOf = (data, name = 'a.bin', type = 'application/octet-stream') => ({ name, type, data });
const putAt = (who, fields, options = {}) => request(options.base ?? base, 'POST', '/cgi_bin/file_put',
    { multipart: { conf: who.conference, token: who.token, ...fields }, ...json, ...options });
const fetch = (who, id, options = {}) => get(base, '/cgi_bin/file_get', { id, token: who.token }, options);
const filesOf = async (who) => (await allEvents(instance, who)).filter((one) => one.kind === 'file');

/* ── whole ── */

test('a whole file answers its event and its id, and comes back byte by byte', async () => {
    const { customer, agent } = await room(base);
    for (const count of [0, 1, 65536, 100001, MOST]) {
        const data = bytes(count), answer = await putAt(customer, { nonce: `n${count}`, file: fileOf(data, `f${count}.bin`) });
        assert.equal(answer.status, 200, answer.body);
        const { event, file } = answer.json();
        assert.ok(Number.isSafeInteger(event));
        assert.equal(typeof file, 'string');
        const told = (await filesOf(agent)).at(-1);
        assert.deepEqual([told.id, String(told.file.id), told.file.name, told.file.bytes], [event, file, `f${count}.bin`, count]);
        const got = await fetch(agent, file);
        assert.deepEqual([got.status, digest(got.bytes), got.headers['content-length']], [200, digest(data), String(count)]);
        assert.equal((await get(base, `${told.file.url}&token=${agent.token}`)).status, 200, 'the url of the event is good');
    }
});

test('the same nonce again answers the first event, ten at once included', async () => {
    const { customer, agent } = await room(base), data = bytes(5000), fields = { nonce: 'n'.repeat(64), file: fileOf(data) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => putAt(customer, fields)));
    for (const answer of [...answers, await putAt(customer, fields)]) {
        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(answer.json(), answers[0].json());
    }
    assert.equal((await filesOf(agent)).length, 1);
    assert.equal(digest((await fetch(agent, answers[0].json().file)).bytes), digest(data));
    isError(await putAt(customer, { nonce: 'n'.repeat(65), file: fileOf('x') }), 'bad_parameter', 'nonce');
});

test('a nonce is unique for the member, and without one every file is a new one', async () => {
    const { customer, agent } = await room(base);
    for (const who of [customer, agent]) assert.equal((await putAt(who, { nonce: 'same', file: fileOf('x') })).status, 200);
    for (let i = 0; i < 2; i++) assert.equal((await putAt(customer, { file: fileOf('x') })).status, 200);
    assert.equal((await filesOf(agent)).length, 4);
});

test('names come back as they were sent, without a path', async () => {
    const { customer, agent } = await room(base);
    for (const [sent, kept] of [['größer 漢字.pdf', 'größer 漢字.pdf'], ['C:\\\\Users\\\\ann\\\\a.txt', 'a.txt'],
        ['../../etc/passwd', 'passwd'],
        ['a;b.txt', 'a;b.txt'], ['%41%0d%0a.txt', '%41__.txt'], ['a %22b%22.txt', 'a "b".txt'],
        ['x'.repeat(200), 'x'.repeat(200)], ['\u{1f600}'.repeat(200), '\u{1f600}'.repeat(200)]]) {
        const answer = await putAt(customer, { file: fileOf('x', sent) });
        assert.equal(answer.status, 200, `${sent} ${answer.body}`);
        assert.equal((await filesOf(agent)).at(-1).file.name, kept);
        const { headers } = await fetch(agent, answer.json().file);
        const encoded = /filename\*=UTF-8''([^;]+)/.exec(headers['content-disposition'])[1];
        assert.equal(decodeURIComponent(encoded), kept);
        assert.match(headers['content-disposition'], /^[\x20-\x7e]+$/);
    }
});

test('what file_put insists on', async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    isError(await putAt(customer, {}), 'bad_parameter', 'file');
    isError(await putAt(customer, { file: 'a text, no file' }), 'bad_parameter', 'file');
    isError(await request(base, 'POST', '/cgi_bin/file_put', { multipart: { token, file: fileOf('x') }, ...json }),
        'bad_parameter', 'conf');
    isError(await post(base, '/cgi_bin/file_put', { conf, token, file: 'x' }, json), 'bad_parameter', 'file');
    isError(await get(base, '/cgi_bin/file_put', { conf, token }, json), 'bad_method');
    isError(await request(base, 'POST', '/cgi_bin/file_put', { multipart: { conf, file: fileOf('x') }, ...json }),
        'unauthorized');
    const other = await room(base);
    isError(await putAt({ conference: conf, token: other.customer.token }, { file: fileOf('x') }), 'unauthorized');
    assert.deepEqual(await filesOf(customer), []);
});

test('a browser is sent back to its room, an error is a page', async () => {
    const { customer } = await room(base);
    const answer = await putAt(customer, { file: fileOf('x'), part: 'page' }, html);
    assert.equal(answer.status, 303);
    assert.match(answer.headers.location, /^\/cgi_bin\/conf_view\?conf=\d+server&part=page/);
    isErrorPage(await putAt(customer, {}, html), 400);
});

test('when the conference has ended nothing more comes in, and what is there stays', async () => {
    const { customer, agent } = await room(base), { file } = await sendFile(instance, customer, 'a', 'text/plain', 'kept');
    const first = await putAt(customer, { nonce: 'n', file: fileOf('sent before') });
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
    isError(await putAt(agent, { file: fileOf('x') }), 'conflict', 'conf');
    isError(await putAt(customer, { nonce: 'other', file: fileOf('sent before') }), 'conflict', 'conf');
    assert.deepEqual((await putAt(customer, { nonce: 'n', file: fileOf('sent before') })).json(), first.json(), 'its answer was lost');
    for (const other of ['sent after.', 'sent after it']) {
        isError(await putAt(customer, { nonce: 'n', file: fileOf(other) }), 'conflict', 'nonce');
    }
    assert.equal((await fetch(customer, file)).body, 'kept');
});

/* ── too large ── */

test('a file over the limit is 413, told before by its total', async () => {
    const { customer } = await room(base);
    for (const fields of [{ file: fileOf(bytes(MOST + 1)) }, { total: MOST + 1, offset: 0, nonce: 'l', file: fileOf('x') },
        { file: fileOf(bytes(MOST + 600000)) }]) {
        isError(await putAt(customer, fields), 'too_large');
        isErrorPage(await putAt(customer, fields, html), 413);
    }
    assert.deepEqual(await filesOf(customer), []);
    assert.equal((await putAt(customer, { nonce: 'l', file: fileOf('x') })).status, 200, 'its nonce is not used up');
});

test('by default the limit is 20 MB, to the byte', async () => {
    const { customer } = await room(usual.base), data = Buffer.alloc(20 * 1024 * 1024, 'rtcc');
    const answer = await putAt(customer, { file: fileOf(data) }, { base: usual.base });
    assert.equal(answer.status, 200, answer.body);
    const got = await get(usual.base, '/cgi_bin/file_get', { id: answer.json().file, token: customer.token });
    assert.equal(digest(got.bytes), digest(data));
    const large = Buffer.concat([data, Buffer.from('x')]);
    isError(await putAt(customer, { file: fileOf(large) }, { base: usual.base }), 'too_large');
});

test('what a conversation holds in files is limited, to the byte, and another has its own', async () => {
    const { customer, agent } = await room(base), other = await room(base);
    for (let i = 0; i < 3; i++) assert.equal((await putAt(customer, { file: fileOf(bytes(MOST)) })).status, 200);
    const rest = ROOM - 3 * MOST, begun = { nonce: 'begun', offset: 0, total: rest - LEAST };
    assert.equal((await putAt(customer, { ...begun, file: fileOf('x') })).status, 200, 'it counts as if it were whole');
    for (const who of [customer, agent]) {
        isError(await putAt(who, { file: fileOf(bytes(LEAST + 1)) }), 'too_large', 'file');
        assert.match(isErrorPage(await putAt(who, { file: fileOf(bytes(LEAST + 1)) }, html), 413), /may have 1 MB together/);
    }
    assert.equal((await putAt(agent, { file: fileOf('x') })).status, 200, 'a small one counts 4 KB');
    isError(await putAt(agent, { file: fileOf('x') }), 'too_large', 'file');
    assert.equal((await putAt(other.customer, { file: fileOf('x') })).status, 200);
});

test('uploads that guests began and left behind do not keep others from sending', async () => {
    const { customer, id, participant } = await room(base), guest = await join(base, participant, id);
    for (let i = 0; i < 3; i++) {
        assert.equal((await putAt(guest, { nonce: `n${i}`, offset: 0, total: MOST, file: fileOf('x') })).status, 200);
    }
    isError(await putAt(customer, { file: fileOf(bytes(MOST)) }), 'too_large', 'file');
    await post(base, '/cgi_bin/conf_post', { conf: guest.conference, token: guest.token, kind: 'leave' });
    for (let i = 0; i < 3; i++) assert.equal((await putAt(customer, { file: fileOf(bytes(MOST)) })).status, 200);
});

/* ── in pieces ── */

const pieces = (data, size) => Array.from({ length: Math.ceil(data.length / size) }, (_, i) => [i * size, data.subarray(i * size,
    (i + 1) * size)]);

test('a file in pieces: the same nonce, offset and total; it is announced when it is whole', async () => {
    const { customer, agent } = await room(base), data = bytes(100000), { after: from } = await confPoll(instance, agent);
    const waiting = confPoll(instance, agent, from, 10), answers = [];
    for (const [offset, piece] of pieces(data, 30000)) {
        const answer = await putAt(customer, { nonce: 'pieces', offset, total: data.length, file: fileOf(piece, 'big.bin') });
        assert.equal(answer.status, 200, answer.body);
        answers.push(answer.json());
        if (answers.length < 4) assert.deepEqual(await filesOf(customer), [], 'not before');
    }
    assert.deepEqual(answers.map((one) => one.offset), [30000, 60000, 90000, 100000]);
    assert.equal(new Set(answers.map((one) => one.file)).size, 1);
    assert.ok(answers.slice(0, 3).every((one) => one.event === undefined));
    const told = (await waiting).events.find((one) => one.kind === 'file');
    assert.deepEqual([told.id, told.file.bytes], [answers[3].event, data.length]);
    assert.equal(digest((await fetch(agent, answers[0].file)).bytes), digest(data));
});

test('half a file cannot be fetched', async () => {
    const { customer } = await room(base);
    const { file } = (await putAt(customer, { nonce: 'half', offset: 0, total: 10, file: fileOf('half') })).json();
    assert.ok([401, 404].includes((await fetch(customer, file)).status));
});

test('a piece without a nonce, which nothing could join, is 400 and nothing is kept', async () => {
    const { customer } = await room(base), files = () => fs.readdirSync(path.join(instance.runDir, 'state/files'));
    const before = new Set(files()); // of which those that gave way in an earlier test may be removed only now
    for (const fields of [{ offset: 0, total: 10 }, { total: 10 }, { offset: 4 }, { offset: 4, total: 8 }]) {
        isError(await putAt(customer, { ...fields, file: fileOf('half') }), 'bad_parameter', 'nonce');
    }
    assert.deepEqual(files().filter((name) => !before.has(name)), []);
    assert.equal((await putAt(customer, { offset: 0, total: 4, file: fileOf('half') })).status, 200, 'this one is whole');
});

test('a piece that does not fit is 409 with the offset to go on from, and going on there works', async () => {
    const { customer } = await room(base), data = bytes(100), fields = { nonce: 'gap', total: 100 };
    const at = (offset, end, more = {}) => putAt(customer, { ...fields, offset, file: fileOf(data.subarray(offset, end)),
        ...more });
    const offsetOf = (answer) => { isError(answer, 'conflict', 'offset'); return errorOf(answer).offset; };
    assert.equal(offsetOf(await at(40, 60)), 0, 'nothing is there yet');
    assert.equal((await at(0, 40)).status, 200);
    assert.equal(offsetOf(await at(60, 80)), 40, 'a gap');
    assert.equal(offsetOf(await at(20, 60)), 40, 'over what is there');
    assert.equal((await at(0, 40)).status, 200, 'what is there already is taken as sent');
    assert.equal((await at(10, 30)).status, 200);
    assert.equal(offsetOf(await at(40, 60, { total: 99 })), 40, 'another total');
    isError(await at(40, 100, { total: 50 }), 'bad_parameter', 'total');
    const last = await at(40, 100);
    assert.equal(last.status, 200);
    assert.equal(digest((await fetch(customer, last.json().file)).bytes), digest(data));
    assert.equal((await at(40, 100)).json().event, last.json().event, 'the last piece again: the same event');
    isError(await putAt(customer, { nonce: 'gap', file: fileOf('another') }), 'conflict', 'nonce');
    assert.equal((await filesOf(customer)).length, 1);
});

test('the same piece twice at once does no harm', async () => {
    const { customer } = await room(base), data = bytes(50000), last = [];
    for (const [offset, piece] of pieces(data, 10000)) {
        const answers = await Promise.all([1, 2, 3].map(() => putAt(customer, { nonce: 'at once', offset, total: data.length,
            file: fileOf(piece) })));
        assert.ok(answers.some((one) => one.status === 200), answers.map((one) => one.body).join());
        for (const answer of answers) {
            if (answer.status !== 200) isError(answer, 'conflict', 'offset');
            else last[0] = answer.json();
        }
    }
    assert.equal(digest((await fetch(customer, last[0].file)).bytes), digest(data));
    assert.equal((await filesOf(customer)).length, 1);
});

test('of different last pieces at once one is acknowledged, and its bytes are kept', async () => {
    for (let round = 0; round < 4; round++) {
        const { customer } = await room(base), fields = { nonce: 'last', total: 200008 };
        assert.equal((await putAt(customer, { ...fields, offset: 0, file: fileOf(bytes(8)) })).status, 200);
        const sent = ['B', 'C', 'D'].map((letter) => Buffer.alloc(200000, letter));
        const answers = await Promise.all(sent.map((data) => putAt(customer, { ...fields, offset: 8, file: fileOf(data) })));
        const won = answers.filter((one) => one.status === 200);
        assert.equal(won.length, 1, answers.map((one) => one.body).join());
        for (const answer of answers) if (answer !== won[0]) isError(answer, 'conflict');
        const kept = (await fetch(customer, won[0].json().file)).bytes;
        assert.equal(digest(kept.subarray(8)), digest(sent[answers.indexOf(won[0])]));
    }
});

test('a member has ten unfinished files at most; the eleventh waits until one is complete', async () => {
    const { customer, agent } = await room(base), begin = (who, i, options) => putAt(who, { nonce: `u${i}`, offset: 0, total: 10,
        file: fileOf('half.') }, options);
    for (let i = 0; i < 10; i++) assert.equal((await begin(customer, i)).status, 200);
    isError(await begin(customer, 10), 'too_many', null);
    assert.match(isErrorPage(await begin(customer, 10, html), 429), /10 files of yours are on their way/);
    assert.equal((await begin(customer, 3)).status, 200, 'a repeated one is no other');
    assert.equal((await begin(agent, 10)).status, 200, 'each for himself');
    assert.equal((await putAt(customer, { file: fileOf('whole') })).status, 200);
    assert.equal((await putAt(customer, { nonce: 'u0', offset: 5, total: 10, file: fileOf('.half') })).status, 200);
    assert.equal((await begin(customer, 10)).status, 200);
});

/* ── file_get ── */

const kinds = [['p.png', '\x89PNG\r\n\x1a\n0000', 'image/png'], ['p.jpg', '\xff\xd8\xff\xe0', 'image/jpeg'], ['p.gif', 'GIF89a',
    'image/gif'],
    ['p.webp', 'RIFF0000WEBP', 'image/webp'], ['p.pdf', '%PDF-1.7', 'application/pdf'], ['s.wav', 'RIFF0000WAVEfmt ',
        'audio/wav'],
    ['s.ogg', 'OggS', 'audio/ogg'], ['s.mp3', 'ID3\x04', 'audio/mpeg'], ['v.mp4', '0000ftypisom', 'video/mp4'],
    ['v.webm', '\x1a\x45\xdf\xa3', 'video/webm']];

test('pictures, PDF, audio and video may be shown, everything else is an attachment, by what is in it', async () => {
    const { customer } = await room(base);
    for (const [name, head, type] of kinds) {
        const { file } = await sendFile(instance, customer, name, 'text/html', Buffer.from(`${head}and more`, 'latin1'));
        const { headers } = await fetch(customer, file);
        assert.match(headers['content-disposition'], /^inline; /, name);
        assert.equal(headers['content-type'], type);
        assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    for (const [name, data, type] of [['a.html', '<script>alert(1)</script>', 'text/html'], ['a.svg', '<svg onload="alert(1)"/>',
        'image/svg+xml'],
        ['a.txt', 'text', 'text/plain'], ['fake.png', '<html>', 'image/png'], ['a.exe', 'MZ', 'application/pdf']]) {
        const { file } = await sendFile(instance, customer, name, type, data), { headers } = await fetch(customer, file);
        assert.match(headers['content-disposition'], /^attachment; /, name);
        assert.equal(headers['content-type'], 'application/octet-stream');
        assert.match(headers['content-security-policy'], /script-src 'self'/);
    }
});

test('Range: a part, the rest, the last bytes, and 416 for what is not there', async () => {
    const { customer } = await room(base), data = bytes(1000), { file } = await sendFile(instance, customer, 'r', 'x/y', data);
    const part = (Range, headers = {}) => fetch(customer, file, { headers: { Range, ...headers } });
    for (const [range, from, to] of [['bytes=0-99', 0, 99], ['bytes=900-', 900, 999], ['bytes=-10', 990, 999], ['bytes=500-500',
        500, 500],
        ['bytes=990-5000', 990, 999], ['bytes=-5000', 0, 999]]) {
        const answer = await part(range);
        assert.equal(answer.status, 206, range);
        assert.equal(answer.headers['content-range'], `bytes ${from}-${to}/1000`);
        assert.deepEqual(answer.bytes, data.subarray(from, to + 1));
    }
    for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
        const answer = await part(range);
        assert.equal(answer.status, 416, range);
        assert.equal(answer.headers['content-range'], 'bytes */1000');
        assert.deepEqual(only(errorOf(answer), 'code', 'parameter', 'reason'), { code: 'bad_parameter', parameter: null,
            reason: 'The file has 1000 bytes and no such part.' });
        assert.equal(answer.headers['content-disposition'], undefined);
        assert.match(isErrorPage(await part(range, { Accept: 'text/html' }), 416), /1000 bytes/);
    }
    for (const range of ['bytes=5-2', 'lines=0-1', 'bytes=a-b', 'bytes=0-1,5-6',
        'bytes=']) assert.equal((await part(range)).status, 200, range);
    const whole = await fetch(customer, file);
    assert.equal(whole.headers['accept-ranges'], 'bytes');
    assert.equal((await part('bytes=0-0', { 'If-Range': whole.headers.etag })).status, 206);
    assert.equal((await part('bytes=0-0', { 'If-Range': '"another"' })).status, 200, 'another version is sent whole');
});

test('HEAD says how large it is', async () => {
    const { customer } = await room(base), { file } = await sendFile(instance, customer, 'h', 'x/y', bytes(12345));
    const head = await request(base, 'HEAD', '/cgi_bin/file_get', { query: { id: file, token: customer.token } });
    assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '12345', 0]);
});

test('a file is for the members of its conference; for others there is none', async () => {
    const { customer, id, participant } = await room(base), other = await room(base), mate = await join(base, participant, id);
    const { file } = await sendFile(instance, customer, 'a', 'x/y', 'secret');
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf: id, token: mate.token }));
    for (const options of [{ cookie }, { bearer: mate.token }]) {
        assert.equal((await get(base, '/cgi_bin/file_get', { id: file }, options)).body, 'secret');
    }
    assert.equal((await fetch(mate, file)).body, 'secret');
    const refused = [await fetch(other.customer, file), await fetch({ token: '' }, file), await fetch(other.customer,
        9007199254740991),
        await get(base, '/cgi_bin/file_get', { id: file }, {}), await fetch(customer, 1)];
    for (const answer of refused) isError(answer, 'unauthorized', null);
    assert.equal(new Set(refused.map((one) => one.body)).size, 1, 'whether it exists is not told');
    for (const id of ['', 'x', '0', '-1', '../../etc/passwd']) {
        isError(await fetch(customer, id, json), 'bad_parameter', 'id');
    }
});
