/* Behind Apache, which hands every piece of a body on as it comes and reads no further ahead than its client does: those who send or
 * read slowly, at the programs that may wait. Others are served meanwhile as if they were not. Needs the whole machine. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { get, multipart, request } from '../lib/http.js';
import { sleep, startInstance } from '../lib/instance.js';
import { ask, sendFile, signIn } from '../lib/people.js';
import { alone, deafReader, timesOf, wereServed } from './lib/served.js';
import { sized } from './lib/soak.js';

const PATIENCE_MS = 20000; // Debian's RequestReadTimeout, the shortest of all that end them
const ATTACK_MS = sized(3000, 60000), LARGE_BYTES = 15 << 20, LARGE_BODY_BYTES = 5 << 20;
let instance, customer, large, small;
before(async () => {
    instance = await startInstance({ web: 'apache', crowd: true });
    customer = await ask(instance);
    ({ file: large } = await sendFile(instance, customer, 'large.bin', 'application/octet-stream', Buffer.alloc(LARGE_BYTES, 'l')));
    ({ file: small } = await sendFile(instance, customer, 'small.txt', 'text/plain', 'small'));
});
after(() => instance?.stop());

const fileOf = (id) => `/cgi_bin/file_get?id=${id}&token=${customer.token}`;

/* Sends the beginning of `bytes` bytes of body, and then a byte now and then. */
function slowSender(program, bytes, type, beginning) {
    const socket = net.connect({ port: instance.port, host: '127.0.0.1' }).on('error', () => {});
    socket.write(`POST /cgi_bin/${program} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`);
    socket.write(beginning);
    const timer = setInterval(() => socket.write('a'), 300);
    socket.on('data', () => {}).on('close', () => clearInterval(timer));
    return socket;
}

/* `count` attackers at all times: whoever is ended for being slow (after PATIENCE_MS or later) comes again. stop() gives how often that was. */
function besiege(count, attacker) {
    const sockets = new Set();
    let ended = 0;
    const come = () => {
        const socket = attacker();
        sockets.add(socket);
        socket.once('close', () => {
            if (!sockets.delete(socket)) return;
            ended++;
            come();
        });
    };
    for (let i = 0; i < count; i++) come();
    return { stop() {
        const all = [...sockets];
        sockets.clear();
        all.forEach((one) => one.destroy());
        return ended;
    } };
}

const served = async (answering) => {
    const answer = await answering;
    assert.ok(answer.status === undefined || answer.status === 200, `${answer.status} ${answer.body}`);
};

const FORM = 'application/x-www-form-urlencoded';
const file = () => multipart({ conf: customer.conference, token: customer.token, file: { name: 'a', type: 'text/plain', data: '' } });

const attacks = {
    'sixty slow bodies to the form': { count: 60, attacker: () => slowSender('form_submit', 1000, FORM, 'name=Ann&question='),
        other: () => served(get(instance.base, '/cgi_bin/form_submit')) },
    'thirty slow bodies to signing in': { count: 30, attacker: () => slowSender('agent_sign', 1000, FORM, 'login='),
        other: () => signIn(instance, 'anna') },
    'thirty slow files, nearly a megabyte of each at once': { count: 30, attacker: () => slowSender('file_put', LARGE_BODY_BYTES,
        file().type, Buffer.concat([file().body.subarray(0, -30), Buffer.alloc(900000)])),
        other: () => sendFile(instance, customer, 'other.txt', 'text/plain', 'other') },
    'twenty readers of a large file who do not read': { count: 20, attacker: () => deafReader(instance, fileOf(large)),
        other: () => served(get(instance.base, fileOf(small))) },
};

for (const [name, { count, attacker, other }] of Object.entries(attacks)) {
    test(`behind Apache ${name}: others are served`, async (t) => {
        const before = await alone([other]), began = Date.now(), siege = besiege(count, attacker);
        try {
            await sleep(300);
            const end = Date.now() + ATTACK_MS, meanwhile = await timesOf([other], () => Date.now() > end), ended = siege.stop();
            t.diagnostic(`${ended} were ended and came again`);
            assert.ok(ended <= count * Math.floor((Date.now() - began) / PATIENCE_MS), `${ended} were ended: too soon to be an attack`);
            await sleep(300);
            wereServed(t, meanwhile, before);
        } finally {
            siege.stop();
        }
    });
}

test('behind Apache a large file and a part of it come whole', async () => {
    const answers = await Promise.all([get(instance.base, fileOf(large)),
        request(instance.base, 'GET', fileOf(large), { headers: { range: 'bytes=1000000-13999999' } })]);
    assert.deepEqual(answers.map((one) => [one.status, one.body.length]), [[200, LARGE_BYTES], [206, 13000000]]);
});
