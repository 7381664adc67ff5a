/* Requests that are wrong as a whole, at every program: lengths, chunks, methods, types, bodies, headers. The web server or the
 * program refuses them with 4xx and a sentence, or takes them where they are right after all; what follows on another connection
 * is answered as ever. Needs the whole machine. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hasHeadersOfRefusal, hasUsualHeaders, sentenceOf } from '../lib/harmless.js';
import { startInstance } from '../lib/instance.js';
import { p99 } from '../lib/percentile.js';
import { bytesOf, Wire } from '../lib/raw.js';
import { methodsOf, programNames } from '../lib/table.js';

let instance, web, took;
const sentence = /^["A-Z].* .* .*[.]$/s;

/* Behind nginx exactly those that every answer has; Apache says some more of its own. */
function hasItsHeaders(answer, what) {
    if (web === 'nginx') (answer.status >= 400 ? hasHeadersOfRefusal : hasUsualHeaders)(what.split(/[ ,]/)[0], answer, what);
    else for (const name of ['cache-control', 'content-type']) assert.ok(answer.header(name), `${what}: ${name}`);
}

/* Sends on a connection of its own; the answer is harmless, has the headers of any other, and if it is an error it is a sentence.
 * `what` begins with the program's name. */
async function refuse(bytes, statuses, what, options) {
    const wire = new Wire(instance.port), answer = await wire.ask(bytes, options);
    wire.close();
    assert.ok(answer, `${what}: closed without an answer`);
    took.push(answer.ms);
    const statusIsRight = Array.isArray(statuses) ? statuses.includes(answer.status) : answer.status === statuses;
    assert.ok(statusIsRight, `${what}: ${answer.status} and not ${statuses}: ${answer.body.slice(0, 300)}`);
    assert.ok(!answer.head.some((line) => /injected/i.test(line)), `${what}: ${answer.head}`);
    assert.doesNotMatch(answer.body, /<script>injected|<injected|root:x:0/, what);
    if (answer.status >= 400) assert.match(sentenceOf(answer), sentence, what);
    hasItsHeaders(answer, what);
    return answer;
}

const form = 'Content-Type: application/x-www-form-urlencoded', text = (string) => Buffer.from(string);
const postable = programNames.filter((name) => methodsOf(name).includes('POST'));
const accepts = ['application/json', 'text/html', 'application/xml'];
const url = (name) => `/cgi_bin/${name}`;

async function everywhere(programs, ask) {
    for (const [i, program] of programs.entries()) await ask(program, `Accept: ${accepts[i % 3]}`);
}

const part = (head, body = 'x') => `${head}\r\n\r\n${body}\r\n`;
const brokenMultipart = ['--b', '--b\r\n', `--b\r\n${part('Content-Disposition: form-data')}--b--`, '--b\r\n\r\n\r\n--b--',
    `--b\r\n${part('Content-Disposition: form-data; name="conf"')}`,
    `--b\r\n${part('X: y')}--b--\r\n`, `--b\r\nContent-Disposition: form-data; name="conf"\r\nx`,
    `--b\r\n${part('Content-Disposition: form-data; name="file"; filename="\0"')}--b--`,
    `--b\r\n${part('Content-Disposition: form-data; name="conf"', '\0')}--b--`,
    `--b\r\n${part('Content-Disposition: form-data; name="\xff"', 'x')}--b--`, 'no boundary at all',
    `--b\r\n${'X-Injected: 1\r\n'.repeat(3000)}\r\nx\r\n--b--`, `--b\r\n${part('Content-Disposition: attachment; name="a"')}--b--\r\n`.repeat(300)];

for (const server of ['nginx', 'apache']) describe(`behind ${server}`, () => {
    before(async () => {
        [web, took] = [server, []];
        instance = await startInstance({ crowd: true, web });
    });
    after(() => instance?.stop());

    test('a length that is negative, no number, too large or given twice is refused', async () => {
        await everywhere(programNames, async (program, accept) => {
            for (const length of ['-1', '-9223372036854775808', 'x', '1x', '0x10', '+', '1 2', '99999999999999999999999'])
                await refuse(bytesOf('POST', url(program), [accept, form, `Content-Length: ${length}`]), [400, 413], `${program} ${length}`);
            for (const length of ['9223372036854775807', '2147483648', '1099511627776'])
                await refuse(bytesOf('POST', url(program), [accept, form, `Content-Length: ${length}`]), [400, 413], `${program} ${length}`);
            const two = [accept, form, 'Content-Length: 1', 'Content-Length: 2'];
            await refuse(Buffer.concat([bytesOf('POST', url(program), two), text('ab')]), 400, `${program}, two lengths`);
            const both = [accept, form, 'Content-Length: 5', 'Transfer-Encoding: chunked'];
            await refuse(Buffer.concat([bytesOf('POST', url(program), both), text('0\r\n\r\n')]), web === 'nginx' ? 400 : [200, 400, 405],
                `${program}, length and chunks`); // RFC 9112, 6.3: the chunks count, or it is refused
        });
    });

    test('a chunk that is broken or endless is refused', async () => {
        const chunks = ['x\r\nab\r\n0\r\n\r\n', '-1\r\nab\r\n', 'ffffffffffffffff\r\nab', 'fffffffffffffffff\r\nab', '2\r\nabc\r\n0\r\n\r\n'];
        await everywhere(postable, async (program, accept) => {
            for (const one of chunks) {
                const head = bytesOf('POST', url(program), [accept, form, 'Transfer-Encoding: chunked']);
                await refuse(Buffer.concat([head, text(one)]), [400, 413], `${program} ${JSON.stringify(one)}`);
            }
            for (const coding of ['gzip', 'injected', 'chunked, gzip', 'identity'])
                await refuse(bytesOf('POST', url(program), [accept, form, `Transfer-Encoding: ${coding}`]), [400, 405], `${program} ${coding}`);
        });
    });

    test('another method is 405 or 400, whatever it is called', async () => {
        const methods = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'SEARCH', 'INJECTED', 'get', 'X'.repeat(300)];
        await everywhere(programNames, async (program, accept) => {
            for (const method of methods) await refuse(bytesOf(method, url(program), [accept]), [400, 405], `${program} ${method}`);
        });
    });

    test('another type of body is 400, XML with and without a document type included', async () => {
        const laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>';
        const file = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>';
        const bodies = ['<x/>', laughs, file, '{"conf":"x"}', '{', '\0\0', 'a=b'];
        const types = ['application/xml', 'text/xml', 'text/plain', 'application/octet-stream', 'multipart/mixed; boundary=b', '',
            'application/x-www-form-urlencodedinjected', 'image/svg+xml', ';', 'x'.repeat(2000)];
        await everywhere(postable, async (program, accept) => {
            for (const body of bodies)
                for (const type of types)
                    await refuse(bytesOf('POST', url(program), [accept, `Content-Type: ${type}`], text(body)), 400, `${program} ${type}`);
        });
    });

    test('multipart that is broken is 400', async () => {
        await everywhere(postable, async (program, accept) => {
            for (const body of brokenMultipart) {
                await refuse(bytesOf('POST', url(program), [accept, 'Content-Type: multipart/form-data; boundary=b'],
                    Buffer.from(body, 'latin1')), 400, `${program} ${JSON.stringify(body.slice(0, 80))}`);
            }
            for (const type of ['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary="',
                `multipart/form-data; boundary=${'b'.repeat(200)}`, 'multipart/form-data; boundary="b\\"', 'multipart/form-data; x=y'])
                await refuse(bytesOf('POST', url(program), [accept, `Content-Type: ${type}`], text('--b\r\n\r\nx\r\n--b--\r\n')), 400,
                    `${program} ${type}`);
        });
    });

    test('headers with anything in them change nothing but what they are for', async () => {
        const values = ["' OR 1=1 --", '<script>injected()</script>', '%0d%0aX-Injected: 1', '\xff\xfe', '../../etc/passwd', 'x'.repeat(7000), '',
            '(){ :;}; echo injected', '"', '\t', '${injected}', '-1', 'bytes=-1', 'bytes=0-99999999999999999999', 'a=b; a=c; =; ;;;'];
        const names = ['Accept', 'Accept-Language', 'Authorization', 'Cookie', 'User-Agent', 'Referer', 'Origin', 'Range', 'If-Range',
            'If-None-Match', 'X-Forwarded-For', 'X-Forwarded-Host', 'Forwarded', 'Via', 'Expect', 'Proxy', 'X-HTTP-Method-Override',
            'X-Original-URL', 'X-Rewrite-URL', 'Sec-Fetch-Site'];
        for (const [i, program] of programNames.entries()) {
            for (const name of names) {
                const value = values[(i + names.indexOf(name)) % values.length], other = values[(i * 7 + names.indexOf(name)) % values.length];
                const method = methodsOf(program)[0];
                for (const one of [value, other]) {
                    const answer = await refuse(bytesOf(method, `${url(program)}?wait=0&name=x`, [`${name}: ${one}`],
                        method === 'POST' ? Buffer.alloc(0) : undefined), Array.from({ length: 300 }, (_, n) => n + 200),
                    `${program} ${name}: ${one}`);
                    assert.ok(answer.status < 500, `${program} ${name}: ${answer.status}`);
                }
            }
        }
    });

    test('a header that is broken, a host that is none, a path that is none are refused', async () => {
        const head = (...lines) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
        const host = 'Host: 127.0.0.1', mayPass = (one) => web === 'apache' && one.includes('HTTP/9.9'); // which it takes for its own
        for (const one of [head('GET /cgi_bin/vcs HTTP/1.1'), head('GET /cgi_bin/vcs HTTP/1.1', host, host), head('GET /cgi_bin/vcs HTTP/1.1',
            'Host: a b'), head('GET /cgi_bin/vcs HTTP/1.1', 'Host: ../../etc'), head('GET /cgi_bin/vcs\0 HTTP/1.1', host),
        head('GET /cgi_bin/vcs HTTP/1.1', host, 'X: a\0b'), head('GET /cgi_bin/%00 HTTP/1.1', host), head('GET /%zz HTTP/1.1', host),
        head('GET /../../../etc/passwd HTTP/1.1', host), head('GET /%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1', host), head('GET  HTTP/1.1', host),
        head('GET vcs HTTP/1.1', host), head('INJECTED'), head('GET /cgi_bin/vcs HTTP/9.9', host),
        head(`GET /cgi_bin/vcs?${'x'.repeat(100000)} HTTP/1.1`, host), head('GET /cgi_bin/vcs HTTP/1.1', host, `X: ${'x'.repeat(100000)}`)])
            await refuse(one, mayPass(one) ? 200 : [400, 404, 414], JSON.stringify(one.toString('latin1', 0, 80)));
        for (const target of ['/cgi_bin/', '/cgi_bin/.', '/cgi_bin/vcs%00', '/cgi_bin/vcs.c', '/cgi_bin/VCS', '/cgi_bin/../sbin/rtcc',
            '/cgi_bin/vcs_access_file.cgi?file=../../etc/passwd', '/cgi-bin/../../etc/passwd', '/cgi_bin/%2e%2e%2fetc', '/cgi_bin/rtcc'])
            await refuse(bytesOf('GET', target), [400, 404], target);
    });

    test('p99 of what is malformed is below 50 ms', (t) => {
        const most = p99(took);
        t.diagnostic(`${took.length} requests, p99 ${most.toFixed(1)} ms`);
        assert.ok(took.length > 1500 && most < 50, `${took.length}: ${most} ms`);
    });

    test('what comes after all this is answered as ever', async () => {
        await refuse(bytesOf('GET', '/cgi_bin/status'), 200, 'status');
        assert.doesNotMatch(instance.log(), /assert|fatal|signal/i);
    });
});
