/* Every program traced over a whole case: none starts another program, whatever it is asked. tests/run traces all of cgi, web,
 * people and fault besides, for programs that are started (tests/lib/traces.js). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { wholeFlow } from '../lib/everything.js';
import { hostileValues } from '../lib/hostile.js';
import { get, post } from '../lib/http.js';
import { startInstance, until } from '../lib/instance.js';
import { programNames, tableOf } from '../lib/table.js';
import { startedIn } from '../lib/traces.js';
import { logsOf, wrap } from '../lib/wrapped.js';

let instance, traced;
before(async () => {
    traced = wrap((log) => `strace -D -f -qq -s 200 -e trace=execve,execveat,openat,clone,vfork -o ${log}.$$`);
    instance = await startInstance(traced);
});
after(async () => {
    await instance?.stop();
    traced?.clear();
});

test('over a whole case, and with every hostile value, no program is started', async () => {
    await wholeFlow(instance);
    for (const program of programNames) {
        for (const [i, value] of hostileValues.filter(({ bytes }) => bytes?.length < 2000).entries()) {
            const table = tableOf(program), param = table[i % table.length];
            await (i % 2 ? get : post)(instance.base, `/cgi_bin/${program}`, { wait: 0, [param.name]: value.bytes.toString('utf8') });
        }
    }
    await until(() => logsOf(traced).length > programNames.length, 'the traces');
    const logs = logsOf(traced);
    for (const name of [...programNames, 'rtcc']) {
        const own = logs.filter((log) => log.name === name);
        assert.ok(own.length > 0, `${name} was traced`);
        for (const { text } of own) {
            const started = text.split('\n').filter((line) => /exec(ve|veat)\(/.test(line));
            assert.equal(started.length, 1, `${name}: its own start and no other:\n${started.join('\n')}`);
            assert.match(started[0], new RegExp(`/(cgi-bin|sbin)/${name}"`));
        }
        assert.ok(own.some(({ text }) => /openat\(.*rtcc\.conf/.test(text)), `${name}: the trace sees what it does`);
    }
});

test('the look at a trace finds what a program starts, by itself or by a child, and nothing else', () => {
    const start = '7 execve("/bin/sh", [...], 0x1 /* 1 var */) = 0\n7 execve("/x/cgi-bin/queue", [...], 0x1 /* 1 var */) = 0\n';
    const found = (lines) => startedIn(start + lines).started;
    assert.deepEqual(startedIn(start), { seen: { queue: 1 }, started: [] });
    assert.deepEqual(found('7 execve("/bin/id", [...], 0x1 /* 1 var */) = -1 ENOENT (No such file or directory)\n'), ['queue tried /bin/id']);
    assert.deepEqual(found('7 execveat(3, "", [...], 0x1, AT_EMPTY_PATH <unfinished ...>\n'), ['queue tried ']);
    const forked = '7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x1) = 8\n';
    const run = '8 execve("/bin/id", [...], 0x1 /* 1 var */ <unfinished ...>\n', rest = '8 <... execve resumed>) = 0\n';
    assert.deepEqual(found(forked + run + rest), ['a child of queue tried /bin/id']);
    assert.deepEqual(found(`7 vfork( <unfinished ...>\n${run}7 <... vfork resumed>) = 8\n${rest}`), ['a child of queue tried /bin/id']);
    for (const end of ['exited with 0', 'killed by SIGKILL']) {
        assert.deepEqual(found(`7 +++ ${end} +++\n${forked}${run}${rest}${run.replace('8', '7')}`), [], 'a number that is used again');
    }
    assert.deepEqual(startedIn('5 execve("/x/sbin/rtcc", [...]) = 0\n5 clone() = 6\n6 execve("/x/cgi-bin/vcs", [...]) = 0\n').started,
        ['a child of rtcc tried /x/cgi-bin/vcs']);
});
