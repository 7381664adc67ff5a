/* Two hosts with databases of their own: app.localhost is the application server, collab.localhost the collaboration and the
 * queuing server. A key is all that joins them: neither name is one under which loopback is trusted. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, startInstance } from './instance.js';
import { rtcc } from './wire.js';

/* {app, collab, named(instance), key, newKey(), useKey(text), stop()}; `settings` are the application server's, `settingsThere` the
 * other's. libcurl and browsers find *.localhost by themselves. */
export async function startHosts({ there, settings, settingsThere } = {}) {
    const collab = await startInstance({ settings: settingsThere }), conf = path.join(collab.runDir, 'rtcc.conf');
    const keyFile = path.join(collab.runDir, 'app.key');
    there = there ? await there(collab) : `http://collab.localhost:${collab.port}`;
    const hosts = { collab,
        useKey: (text) => fs.writeFileSync(keyFile, `${text}\n`),
        newKey: async () => (await rtcc(buildFolder, conf, ['key', 'add', 'app'])).stdout.trim(),
        revoke: (key) => rtcc(buildFolder, conf, ['key', 'revoke', key.split('.')[0]]),
        stop: async () => { await hosts.app?.stop(); await collab.stop(); } };
    hosts.key = await hosts.newKey();
    hosts.useKey(hosts.key);
    hosts.app = await startInstance({ settings: { collaboration_url: there, queue_url: there, service_key_file: keyFile,
        ...settings } });
    return hosts;
}

/* The same instance by its host name, for browsers. */
export const named = (instance, name) => ({ base: `http://${name}.localhost:${instance.port}`, password: instance.password });

/* How many rows a table of that instance has. */
export const count = (one, table) => Number(execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000',
    path.join(one.runDir, 'state/rtcc.db'), `SELECT count(*) FROM ${table}`], { encoding: 'utf8' }));
