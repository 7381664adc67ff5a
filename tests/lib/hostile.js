/* Two hundred values that somebody with bad intentions sends in place of a parameter, and the ways in which they travel.
 *
 * A value is {label, bytes, way, isMissing}: `bytes` is what the program shall see; `raw` instead is what stands in the query
 * itself. `fails(param)` says whether that parameter has to refuse it: only what is wrong beyond doubt is called so. */

const text = (string) => Buffer.from(string, 'utf8');
const hex = (string) => Buffer.from(string.replaceAll(' ', ''), 'hex');

/* Every control character but tab, and line breaks with a header or a cookie behind them. */
const controls = Array.from({ length: 32 }, (_, i) => i).filter((i) => i !== 9).map((i) => `a${String.fromCharCode(i)}b`);
const headers = ['\r\nX-Injected: 1', '\nX-Injected: 1', '\r\n\r\n<b>injected</b>', '\r\nSet-Cookie: injected=1; Path=/',
    '\rX-Injected: 1', 'x\r\nLocation: http://injected.example/', '\u0085X-Injected: 1', '\u2028X-Injected: 1',
    '嘊嘍X-Injected: 1', '\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Injected: 1', 'x\r\nStatus: 500 Injected',
    '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'];

const markup = ['<script>injected()</script>', '<svg/onload=injected()>', '"><img src=x onerror=injected()>',
    "' onfocus='injected()' autofocus='", '" onfocus="injected()" autofocus="', '</title><script>injected()</script>',
    '</textarea><script>injected()</script>', '<!--<script>injected()</script>', ']]><injected/>', '<![CDATA[<injected/>]]>',
    '<injected', '</conference><injected/>', '&lt;injected&gt;', '&#60;injected&#62;', '&injected;', '<?injected?>',
    '<!DOCTYPE x [<!ENTITY injected SYSTEM "file:///etc/passwd">]><x>&injected;</x>',
    '<!DOCTYPE x SYSTEM "http://injected.example/x.dtd"><x/>', '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></x>',
    '{{injected}}', '{{#injected}}', '{{{injected}}}', '{{/', '${injected}', '#{injected}', '<%= injected %>', '{%injected%}',
    'javascript:injected()', 'JaVaScRiPt:injected()', 'data:text/html,<script>injected()</script>', 'vbscript:injected()',
    '","injected":"1', '\\","injected":"1', '{"injected":1}', '\\u003cinjected\\u003e', '\\', '</script><injected>',
    '\u{ff1c}injected\u{ff1e}', '<\u200binjected>', '<scr\u0000ipt>injected()'];

const shell = [';id', '|id', '&id', '`id`', '$(id)', '%26id%26', '/vcs/vcs_home.xsl%26id%26', '\nid\n', "';id;'", '--help', '-e',
    '() { :;}; echo injected', '%n%n%n%n', '%s%s%s%s%s', '%x'.repeat(30), '%99999d'];
const sql = ["'", '"', "' OR '1'='1", "'; DROP TABLE event; --", '1 UNION SELECT secret FROM site', "' || (SELECT secret FROM site) || '",
    '1; ATTACH DATABASE \'/tmp/injected\' AS x', '%', '_', '\\\'', '1/**/OR/**/1', "x' AND randomblob(1000000000) AND 'x"];
const files = ['../../../../etc/passwd', '..%2f..%2fetc%2fpasswd', '....//....//etc/passwd', '/etc/passwd', 'file:///etc/passwd',
    '..\\..\\windows\\win.ini', '.', '..', '/', 'C:\\', '/proc/self/environ', '/dev/zero', 'rtcc.conf', '../templates/message',
    'http://169.254.169.254/latest/meta-data/', 'http://[fe80::1]/', 'gopher://127.0.0.1:25/', 'http://127.0.0.1:22/',
    '//injected.example/', 'http://injected.example@127.0.0.1/', 'ldap://injected.example/', '\\\\injected\\share'];
const numbers = ['-1', '-0', '+1', '1.5', '1e3', '0x10', '1,000', ' 1', '1 ', '0', '00000000000000000001', '9007199254740992',
    '9223372036854775807', '9223372036854775808', '18446744073709551616', '-9223372036854775809', '2147483648', '4294967296',
    '9'.repeat(400), 'NaN', 'Infinity', '1e999', 'null', 'true', '١', '１', '', ' ', '-', '0b1'];
const letters = ['\u{1f600}', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 'ß', '\u202einjected', 'a\u0300'.repeat(50), '\ufeffx',
    '\uffff', '\u{10ffff}', 'İ', '\t', 'x'.repeat(300), 'x'.repeat(4000), '\u{1f600}'.repeat(300), ' '.repeat(3000)];

/* No text: NUL, and what is not UTF-8. */
const broken = [hex('61 00 62'), hex('00'), hex('ff'), hex('fe ff'), hex('c0 af'), hex('c1 bf'), hex('e0 80 af'), hex('f0 80 80 af'),
    hex('ed a0 80'), hex('ed bf bf'), hex('f4 90 80 80'), hex('f8 88 80 80 80'), hex('80'), hex('61 c3'), hex('e2 82'), hex('f0 9f 98'),
    hex('c3 28'), hex('e2 28 a1')];

/* As they stand in a query. Of a broken escape the contract says nothing: it is taken as it is, or 400. */
const raws = ['%', '%0', '%zz', '%u0041', '%25%30%30', '%2500', '+', '=', '==', '%3D&%26', '&&&', ';', '%0d%0aX-Injected:%201', '%c0%ae%c0%ae/'];

const manyNames = (count) => Array.from({ length: count }, (_, i) => `&p${i}=1`).join('');

function list() {
    const values = [{ label: 'missing', isMissing: true }];
    for (const one of [...controls, ...headers, ...markup, ...shell, ...sql, ...files, ...numbers, ...letters]) {
        values.push({ label: JSON.stringify(one).slice(0, 60), bytes: text(one) });
    }
    for (const bytes of broken) values.push({ label: `bytes ${bytes.toString('hex')}`, bytes, isBroken: true });
    for (const raw of raws) values.push({ label: `raw ${raw}`, raw });
    values.push({ label: '1 MB', bytes: Buffer.alloc(1 << 20, 'x'), way: 'body' },
        { label: '1 MB in multipart', bytes: Buffer.alloc(1 << 20, 'x'), way: 'multipart' },
        { label: '100 KB', bytes: Buffer.alloc(100 * 1024, 'x'), way: 'body' },
        { label: '6 KB', bytes: Buffer.alloc(6 * 1024, 'x'), way: 'query' },
        { label: '10,000 parameters beside it', bytes: text('x'), way: 'body', beside: manyNames(10000), isBroken: true },
        { label: '300 parameters beside it', bytes: text('x'), way: 'query', beside: manyNames(300), isBroken: true },
        { label: 'given 200 times', bytes: text('x'), way: 'query', beside: '&again=1'.repeat(200) });
    return values;
}

/* In turn by all the ways that a body can come, so that each value meets each way at some parameter. */
const ways = ['query', 'body', 'multipart', 'chunked'];

export const hostileValues = list();

export const wayOf = (value, turn) => value.raw !== undefined ? 'query' : value.way ?? ways[turn % ways.length];

/* What is one of a few words, or names something that is there: none of the values does. */
const chosen = ['action', 'kind', 'format', 'part', 'conf_type', 'conf', 'token', 'vanity'];

/* As a text, without the blanks around it: of a megabyte that is dear, so each value is read once. */
const read = new Map();
function textOf({ bytes }) {
    if (!read.has(bytes)) read.set(bytes, bytes.toString('utf8').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''));
    return read.get(bytes);
}

/* Whether it has more characters than that; one is one or two of a string's units. */
const isLonger = (string, most) => string.length > 2 * most || (string.length > most && [...string].length > most);

/* Whether a parameter of this kind has to refuse it; undefined where that is for the program to say. */
export function mustRefuse(param, value) {
    if (value.isMissing) return param.required;
    if (value.isBroken) return true;
    if (value.bytes === undefined) return undefined;
    const trimmed = textOf(value);
    if (trimmed.includes('\0')) return true;
    if (trimmed === '') return param.required || undefined;
    if (param.kind === 'whole number' && (!/^[+-]?\d+$/.test(trimmed) || BigInt(trimmed) < BigInt(param.min)
        || BigInt(trimmed) > BigInt(param.max))) return true;
    if (param.kind === '0 or 1' && !/^(0|1|true|false|yes|no|on|off)$/i.test(trimmed)) return true;
    if (param.kind === 'line' && /[\x00-\x1f\x7f]/.test(trimmed)) return true;
    if (chosen.includes(param.name)) return true;
    if (['line', 'text'].includes(param.kind) && isLonger(trimmed, param.max)) return true;
    return undefined;
}

const wrongAs = { phone: (text) => text.replace(/\D/g, '').length < 7, email: (text) => !text.includes('@'),
    recurrence: (text) => !/^[DW]-/.test(text), url: () => true };

/* Whether a text is no number to call, no address, no recurrence; a url is that of one conference. */
export function isWrongAsSuch(param, value) {
    const string = value.bytes && textOf(value);
    return Boolean(string && wrongAs[param.name]?.(string));
}
