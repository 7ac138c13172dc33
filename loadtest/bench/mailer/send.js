// Sends one prepared mail to many addresses with nodemailer's pool: node send.js PORT COUNT CONNECTIONS FILE. Prints
// {"messages", "seconds"} as JSON. Nothing is composed for each mail, which is kinder to it than its users are.
'use strict';
const fs = require('fs');
const nodemailer = require('nodemailer');

const [port, count, connections] = process.argv.slice(2, 5).map(Number);
const raw = fs.readFileSync(process.argv[5]);
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port, ignoreTLS: true, pool: true, maxConnections: connections, maxMessages: Infinity,
});
const WAITING = 4 * connections; // in its queue: one that is never empty, and never all of them

let next = 0;
async function worker() {
  while (next < count) {
    const to = `person-${next++}@example.com`;
    await transport.sendMail({ envelope: { from: 'from@example.com', to }, raw });
  }
}

(async () => {
  const began = process.hrtime.bigint();
  await Promise.all(Array.from({ length: WAITING }, worker));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  transport.close();
  console.log(JSON.stringify({ messages: count, seconds }));
})().catch((error) => {
  console.error(`loadtest/bench/mailer: ${error.message}`);
  process.exit(1);
});
