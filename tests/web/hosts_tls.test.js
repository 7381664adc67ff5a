/* The calls between the hosts over https: whose certificate is believed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { count, startHosts } from '../lib/hosts.js';
import { post } from '../lib/http.js';
import { json } from '../lib/wire.js';

const good = { name: 'Ann', phone: '+16035551234' };
let folder, hosts, front, misnamed;

/* A self-signed certificate for that name, and its key, in two files called `file`. */
function certify(name, file) {
    const [cert, key] = ['pem', 'key'].map((end) => path.join(folder, `${file}.${end}`));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
        '-out', cert, '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`], { stdio: 'ignore' });
    return { cert, key };
}
const read = ({ cert, key }) => ({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });

/* Speaks TLS for the instance behind it; what it asks for there is what was asked of it. */
async function startFront(collab, secrets) {
    front = https.createServer(secrets, (asked, answer) => {
        asked.pipe(http.request({ host: '127.0.0.1', port: collab.port, path: asked.url, method: asked.method,
            headers: asked.headers }, (got) => { answer.writeHead(got.statusCode, got.headers); got.pipe(answer); }));
    });
    await new Promise((done) => front.listen(0, '127.0.0.1', done));
    return `https://collab.localhost:${front.address().port}`;
}

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-tls-'));
    const right = certify('collab.localhost', 'right'), authorities = path.join(folder, 'authorities.pem');
    misnamed = certify('other.localhost', 'misnamed');
    fs.writeFileSync(authorities, read(right).cert + read(misnamed).cert);
    hosts = await startHosts({ there: (collab) => startFront(collab, read(right)),
        settings: { service_ca_file: authorities } });
});
after(async () => {
    await hosts?.stop();
    front?.closeAllConnections();
    front?.close();
    fs.rmSync(folder, { recursive: true, force: true });
});

const send = (reqid) => post(hosts.app.base, '/cgi_bin/form_submit', { ...good, reqid }, json);

test('a certificate of the authority in service_ca_file is believed', async () => {
    const answer = await send('right');
    assert.equal(answer.status, 200, answer.body);
    assert.equal(count(hosts.collab, 'conference'), 1);
});

test('a certificate of somebody else or for another name is not: the form is kept and nothing was said to that server', async () => {
    const swap = (secrets) => { front.setSecureContext(secrets); front.closeAllConnections(); };
    const strange = certify('collab.localhost', 'strange');
    for (const [secrets, reqid] of [[strange, 'not signed by the authority'], [misnamed, 'signed, for another name']]) {
        swap(read(secrets));
        const answer = await send(reqid);
        assert.equal(answer.status, 202, answer.body);
        assert.equal(count(hosts.collab, 'conference'), 1);
    }
    assert.match(hosts.app.log(), /certificate/i);
});
