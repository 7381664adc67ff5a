/* One HTTP request and what came back, for the tests.
 *
 * node:http and not fetch: fetch adds headers of its own (Sec-Fetch-Mode), refuses others (Host, Cookie), follows redirects, and
 * cannot say on which connection it spoke. Every request here has a connection of its own unless an agent is given. */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

/* The certificates that https is spoken with, besides those that everybody believes. */
const trusted = [];
export const trust = (certificate) => trusted.push(certificate);

export const urlencoded = (fields) =>
    new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined)).toString();

/* A body of multipart/form-data. A field's value is a text, or a file {name, type, data}. */
export function multipart(fields) {
    const boundary = `rtcc-${Math.random().toString(36).slice(2)}`;
    const parts = Object.entries(fields).map(([name, value]) => {
        const isFile = typeof value === 'object';
        const head = isFile
            ? `Content-Disposition: form-data; name="${name}"; filename="${value.name}"\r\nContent-Type: ${value.type}\r\n\r\n`
            : `Content-Disposition: form-data; name="${name}"\r\n\r\n`;
        const content = Buffer.from(isFile ? value.data : String(value));
        return Buffer.concat([Buffer.from(`--${boundary}\r\n${head}`), content, Buffer.from('\r\n')]);
    });
    const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
    return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/* The tree of an XML document as the wire contract makes them: {name, attributes, children, text}. A DTD or CDATA throws. */
export function parseXml(text) {
    const decode = (s) => s.replace(/&(lt|gt|quot|apos|amp|#(\d+)|#x([0-9a-f]+));/gi, (all, name, decimal, hex) => {
        if (decimal || hex) return String.fromCodePoint(parseInt(decimal ?? hex, decimal ? 10 : 16));
        return { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name];
    });
    const top = { name: '', attributes: {}, children: [], text: '' };
    const open = [top];
    const attribute = /\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')/.source;
    const tag = `<\\/([\\w:.-]+)\\s*>|<([\\w:.-]+)((?:${attribute})*)\\s*(\\/?)>`;
    const token = new RegExp(`<\\?[^>]*\\?>|<!--.*?-->|${tag}|([^<]+)`, 'gsy');
    for (let match; token.lastIndex < text.length;) {
        const at = token.lastIndex;
        if (!(match = token.exec(text))) throw new Error(`not well-formed at byte ${at}: ${text.slice(at, at + 40)}`);
        const [, closed, opened, attributes, isEmpty, content] = match;
        const here = open[open.length - 1];
        if (content !== undefined) here.text += decode(content);
        if (closed !== undefined && open.pop().name !== closed) throw new Error(`</${closed}> closes nothing`);
        if (opened === undefined) continue;
        const element = { name: opened, attributes: {}, children: [], text: '' };
        for (const [, name, quoted] of attributes.matchAll(/([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
            element.attributes[name] = decode(quoted.slice(1, -1));
        }
        here.children.push(element);
        if (!isEmpty) open.push(element);
    }
    if (open.length !== 1 || top.children.length !== 1) throw new Error('not one whole element');
    return top.children[0];
}

/* The elements at a path below an element: find(root, 'access/code'). */
export const find = (element, path) =>
    path.split('/').reduce((found, name) => found.flatMap((one) => one.children.filter((child) => child.name === name)),
        [element]);

function bodyOf(options) {
    if (options.multipart) return multipart(options.multipart);
    if (options.form) return { type: 'application/x-www-form-urlencoded', body: urlencoded(options.form) };
    return { type: options.type, body: options.body };
}

/* request('http://127.0.0.1:8080', 'POST', '/cgi_bin/conf_post', {form: {…}}) → {status, headers, body, bytes, json(), xml()}.
 *
 * Options: query, form, multipart (objects), body with type; headers; bearer; cookie; accept; from, the address to ask from
 * (any of 127.0.0.0/8); timeout in ms (40 s); agent; signal; rawPath, sent as it is.
 *
 * When it fails the error has `isUnheard`: it was sent on a connection that was kept, of which not a byte came any more. */
export function request(base, method, path, options = {}) {
    const url = new URL(path, base);
    if (options.query) url.search = url.search + (url.search ? '&' : '') + urlencoded(options.query);
    const { type, body } = bodyOf(options);
    const headers = { ...options.headers };
    if (type) headers['Content-Type'] = type;
    if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
    if (options.bearer) headers.Authorization = `Bearer ${options.bearer}`;
    if (options.cookie) headers.Cookie = options.cookie;
    if (options.accept) headers.Accept = options.accept;
    return new Promise((resolve, reject) => {
        const sent = (url.protocol === 'https:' ? https : http).request({
            host: url.hostname, ca: trusted, servername: net.isIP(url.hostname) ? '' : url.hostname, /* never the Host header's */
            port: url.port, method, path: (options.rawPath ?? url.pathname) + url.search, headers,
            agent: options.agent ?? false, signal: options.signal, localAddress: options.from,
        }, (answer) => {
            const chunks = [];
            answer.on('data', (chunk) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () => {
                const bytes = Buffer.concat(chunks);
                const text = bytes.toString('utf8');
                resolve({ status: answer.statusCode, headers: answer.headers, bytes, body: text,
                    json: () => JSON.parse(text), xml: () => parseXml(text) });
            });
        });
        let before = 0;
        sent.once('socket', (socket) => { before = socket.bytesRead; });
        sent.setTimeout(options.timeout ?? 40000, () => sent.destroy(new Error(`no answer from ${path} in time`)));
        sent.on('error', (error) => reject(Object.assign(error,
            { isUnheard: sent.reusedSocket && sent.socket?.bytesRead === before })));
        sent.end(body);
    });
}

export const get = (base, path, query, options) => request(base, 'GET', path, { query, ...options });
export const post = (base, path, form, options) => request(base, 'POST', path, { form, ...options });

/* The cookies that an answer sets, as a Cookie header would send them back. */
export const cookiesOf = (answer) => (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
