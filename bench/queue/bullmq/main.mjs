// The BullMQ side of the queue benchmark: one process that produces, consumes or measures takes,
// driven by bench/queue/compare.py through the same lines as the other sides (progress.h).
import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import readline from 'node:readline';
import { Queue, Worker } from 'bullmq';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    socket: { type: 'string' },
    jobs: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '8' }, // calls at a time
    batch: { type: 'string', default: '1' }, // jobs of one addBulk; 1: add
    payload: { type: 'string', default: '300' }, // bytes of a job
  },
});
const jobs = Number(options.jobs);
const workers = Number(options.workers);
const batch = Number(options.batch);
const connection = { path: options.socket, maxRetriesPerRequest: null };
const name = 'bench';

const input = readline.createInterface({ input: process.stdin });
const go = new Promise((resolve) => input.once('line', resolve));
const end = new Promise((resolve) => input.once('close', resolve));

async function waitForGo() {
  console.log('ready');
  await go;
}

let done = 0;
let newest = 0;
let printed = 0;
function add(count) {
  done += count;
  newest = Date.now() / 1000;
}
function print() {
  if (printed === done) return;
  printed = done;
  console.log(newest.toFixed(6), done);
}

async function produce() {
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  const data = { body: 'x'.repeat(Math.max(0, Number(options.payload) - '{"body":""}'.length)) };
  await waitForGo();
  const timer = setInterval(print, 20);
  let next = 0;
  // An id of the caller's makes a repeated submit one job, as on the other sides.
  const job = () => ({ name, data, opts: { jobId: `job-${next++}` } });
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < jobs) {
        const count = Math.min(batch, jobs - next);
        if (batch === 1) {
          const { opts } = job();
          await queue.add(name, data, opts);
        } else {
          await queue.addBulk(Array.from({ length: count }, job));
        }
        add(count);
      }
    }),
  );
  clearInterval(timer);
  print();
}

async function consume() {
  await waitForGo();
  setInterval(print, 20);
  // Completed jobs are kept, which is BullMQ's default and its cheapest way.
  const worker = new Worker(name, async () => 'result', { connection, concurrency: workers });
  worker.on('completed', () => add(1));
  await end;
  print();
}

// Takes by hand, as the guide's "manually processing jobs" has it.
async function takes() {
  const worker = new Worker(name, null, { connection, autorun: false });
  await worker.waitUntilReady();
  const millis = [];
  await waitForGo();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const token = randomUUID();
      while (millis.length < jobs) {
        const start = performance.now();
        const job = await worker.getNextJob(token);
        millis.push(performance.now() - start);
        await job.moveToCompleted('result', token, false);
      }
    }),
  );
  millis.sort((a, b) => a - b);
  const percentile = (p) => Number(millis[Math.floor(p * (millis.length - 1))].toFixed(3));
  console.log(JSON.stringify({ p50_ms: percentile(0.5), p99_ms: percentile(0.99), max_ms: percentile(1) }));
}

const role = { produce, consume, takes }[positionals[0]];
if (!role) throw new Error('usage: main.mjs OPTIONS produce|consume|takes');
await role();
process.exit(0);
