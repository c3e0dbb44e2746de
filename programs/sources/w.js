// SPDX-License-Identifier: MIT
// Four workers hammer a lock made of Atomics.wait; then 16 hashes from node's pool.
const { Worker, isMainThread, workerData } = require('worker_threads');
const crypto = require('crypto');

const WORKERS = 4, ROUNDS = 20000, HASHES = 16;
const COUNT = 0, LOCK = 1;

function hashes() {
  const found = [];
  let left = HASHES;
  for (let k = 0; k < HASHES; k++)
    crypto.pbkdf2('p', 's' + k, 2000, 32, 'sha256', (error, key) => {
      found[k] = key.toString('hex').slice(0, 8);
      if (!--left)
        console.log(found.join(','));
    });
}

function start() {
  const shared = new SharedArrayBuffer(64), words = new Int32Array(shared);
  let done = 0;
  for (let i = 0; i < WORKERS; i++)
    new Worker(__filename, { workerData: shared }).on('exit', () => {
      if (++done < WORKERS)
        return;
      console.log('count=' + words[COUNT]);
      hashes();
    });
}

function work(words) {
  for (let k = 0; k < ROUNDS; k++) {
    while (Atomics.compareExchange(words, LOCK, 0, 1) !== 0)
      Atomics.wait(words, LOCK, 1, 10);
    words[COUNT]++;
    Atomics.store(words, LOCK, 0);
    Atomics.notify(words, LOCK, 1);
  }
}

if (isMainThread)
  start();
else
  work(new Int32Array(workerData));
