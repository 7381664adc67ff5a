/* The Jabber servers of Debian with anonymous web clients (BOSH), each in a folder of its own. Their queues of connections are made
 * long, as ours is: with what they come with, five and 128, a thousand who come at once wait for minutes to be let in. */
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from '../lib/instance.js';
import { emptyFolder, folder, startServer } from './place.js';

const host = 'bench.localhost'; // as load/bosh.c calls it

function ownFolder(name) {
    const own = emptyFolder(name);
    fs.chmodSync(folder, 0o755);
    fs.chmodSync(own, 0o777);
    return own;
}

export async function startProsody() {
    const port = await freePort(), own = ownFolder('prosody'), file = path.join(own, 'prosody.cfg.lua');
    fs.writeFileSync(file, `
daemonize = false
pidfile = "${own}/prosody.pid"
data_path = "${own}"
run_as_root = true
network_backend = "epoll"
network_settings = { tcp_backlog = 4096 }
modules_enabled = { "saslauth", "bosh", "disco" }
modules_disabled = { "s2s", "c2s" }
c2s_ports = {}
s2s_ports = {}
https_ports = {}
http_ports = { ${port} }
http_interfaces = { "127.0.0.1" }
http_default_host = "${host}"
consider_bosh_secure = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
limits = {}
log = { warn = "${own}/prosody.log" }
VirtualHost "${host}"
    authentication = "anonymous"
`);
    return startServer('/usr/bin/prosody', ['--config', file, '-F'], port, { env: { ...process.env, PROSODY_CONFIG: file } });
}

export async function startEjabberd() {
    const port = await freePort(), own = ownFolder('ejabberd'), file = path.join(own, 'ejabberd.yml');
    fs.writeFileSync(file, `
hosts: ["${host}"]
loglevel: warning
auth_method: [anonymous]
anonymous_protocol: sasl_anon
allow_multiple_connections: true
listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_http
    backlog: 4096
    request_handlers:
      /http-bind: mod_bosh
modules:
  mod_bosh: {}
`);
    const erl = ['-noinput', '-pa', ...fs.readdirSync('/usr/lib/x86_64-linux-gnu').filter((one) => one.startsWith('ejabberd'))
        .map((one) => `/usr/lib/x86_64-linux-gnu/${one}/ebin`), '-mnesia', 'dir', `"${own}/mnesia"`, '-s', 'ejabberd'];
    return startServer('/usr/bin/erl', erl, port, { env: { ...process.env, HOME: own, EJABBERD_CONFIG_PATH: file,
        EJABBERD_LOG_PATH: path.join(own, 'ejabberd.log'), SPOOL_DIR: own, ERL_MAX_PORTS: '30000', ERL_CRASH_DUMP: path.join(own, 'crash') } });
}
