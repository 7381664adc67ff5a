/* What has to hold behind every web server alike: nginx and the three ways of Apache. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { post } from './http.js';
import { tree } from './instance.js';
import { allEvents, say } from './people.js';
import { errorOf, join, json, schedule } from './wire.js';

export const readme = fs.readFileSync(path.join(tree, 'README'), 'utf8');
export const [, caseInCurl] = readme.match(/```sh\n([\s\S]*?)```/);

/* The README's case in curl, as it stands there, ends with its transcript. */
export async function curlCase(instance) {
    const env = { ...process.env, BASE: instance.base, RTCC_DEMO_PASSWORD: instance.password };
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', caseInCurl], { env, timeout: 30000 });
    for (const said of ['Ann: My box was open.', 'Anna: Good morning, Ann.', 'Ann: Good morning!', 'The conversation has ended'])
        assert.ok(stdout.includes(said), `'${said}' is missing in:\n${stdout}`);
}

const BODY_MAX = 104 * 1024;

/* The largest request that a program takes comes whole, at any program; one byte more is 413. */
export async function largestRequests(instance) {
    const { base } = instance, { participant, id } = await schedule(base);
    const member = await join(base, participant, id);
    const text = '\u{1f600}'.repeat(8000);
    await say(instance, member, text);
    assert.equal((await allEvents(instance, member)).at(-1).text, text);
    const headers = Object.fromEntries(['A', 'B', 'C'].map((name) => [`X-${name}`, name.repeat(7000)]));
    const ask = (name, fields, bytes) => {
        const begin = `${new URLSearchParams(fields)}&other=`;
        return post(base, `/cgi_bin/${name}`, undefined, { body: begin.padEnd(bytes, 'x'), headers, ...json,
            type: 'application/x-www-form-urlencoded' });
    };
    const right = { conf_post: { conf: id, token: member.token, kind: 'message', text: 'all of it' },
        vcs_call: { action: 'add', vanity: participant, call_callid: id }, queue: { action: 'list' } };
    for (const [name, fields] of Object.entries(right)) {
        const whole = await ask(name, fields, BODY_MAX);
        assert.equal(whole.status, 200, `${name}: ${whole.body}`);
        for (const bytes of [BODY_MAX + 1, 127 * 1024, 140 * 1024]) {
            const refused = await ask(name, fields, bytes);
            assert.equal(refused.status, 413, `${name} with ${bytes} bytes: ${refused.body}`);
            assert.equal(errorOf(refused).code, 'too_large');
        }
    }
}
