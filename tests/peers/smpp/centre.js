// A message centre on npm's smpp: checks the password, answers every submit_sm, puts the parts of long messages together
// and reports each part as delivered a moment later. One JSON line a whole message goes to the file.
//
//   node centre.js PORT FILE [before]      before: the receipt comes before the submit_sm_resp
const fs = require('fs');
const smpp = require('smpp');

const [port, file, order] = process.argv.slice(2);
let next = 1;
const fragments = new Map(); // source|destination|reference -> parts

function take(pdu) {
  const text = pdu.short_message.message;
  const header = pdu.short_message.udh && pdu.short_message.udh.find((element) => element[0] === 0x00);
  const common = {
    source: pdu.source_addr, destination: pdu.destination_addr, ton: pdu.dest_addr_ton, data_coding: pdu.data_coding,
    validity: pdu.validity_period, reference: pdu.user_message_reference,
  };
  if (!header) {
    return { ...common, parts: 1, text };
  }
  const [reference, total, number] = [header[2], header[3], header[4]];
  const key = [pdu.source_addr, pdu.destination_addr, reference].join('|');
  const parts = fragments.get(key) || [];
  parts[number - 1] = text;
  fragments.set(key, parts);
  if (parts.filter((part) => part !== undefined).length < total) {
    return null;
  }
  fragments.delete(key);
  return { ...common, parts: total, text: parts.join('') };
}

smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => {
    const known = pdu.system_id === 'semel' && pdu.password === 'secret';
    session.send(pdu.response({ command_status: known ? smpp.ESME_ROK : smpp.ESME_RINVPASWD }));
  });
  session.on('submit_sm', (pdu) => {
    const id = String(next++);
    const report = () => session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 0x04,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611240313 done date:2611240314 stat:DELIVRD err:000 text:`,
      receipted_message_id: id, message_state: 2, user_message_reference: pdu.user_message_reference,
    });
    const whole = take(pdu);
    if (whole) {
      fs.appendFileSync(file, JSON.stringify(whole) + '\n');
    }
    if (order === 'before') {
      report();
    }
    session.send(pdu.response({ message_id: id }));
    if (order !== 'before') {
      setTimeout(report, 20);
    }
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('error', () => {});
}).listen(Number(port), '127.0.0.1');
