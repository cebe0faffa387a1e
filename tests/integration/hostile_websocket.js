// A WebSocket server by the package "ws", as hostile as that package allows. It speaks as much MQTT as the
// sample mqtt_client needs, and the path of the URL says what it does wrong.
//
//   node hostile_websocket.js          prints PORT=number; ends when its standard input is closed

'use strict';
const crypto = require('crypto');
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((request, response) => {
  response.writeHead(426);
  response.end();
});
const sockets = new WebSocketServer({
  noServer: true,
  // "ws" would take the first subprotocol that the client offers.
  handleProtocols: (offered, request) => {
    if (request.url === '/no-protocol') return false;
    return request.url === '/other-protocol' ? 'amqp' : 'mqtt';
  },
  perMessageDeflate: false,
});

// Answers an upgrade by hand, for what "ws" refuses to send.
const answers = {
  '/wrong-accept': () => 'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  '/extension': (key) => 'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: mqtt\r\n` +
    'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  '/endless-head': () => 'HTTP/1.1 101 x\r\n' + 'X-Padding: xxxxxxxxxxxxxxxx\r\n'.repeat(1000),
  '/no-http': () => '\x20\x02\x00\x00',
  '/silent': () => '',
};

function acceptOf(request) {
  return crypto.createHash('sha1')
    .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
    .digest('base64');
}

server.on('upgrade', (request, socket, head) => {
  const status = /^\/status-(\d+)$/.exec(request.url);
  if (status) {
    socket.end(`HTTP/1.1 ${status[1]} Secret\r\nContent-Length: 6\r\n\r\nSecret`);
  } else if (answers[request.url]) {
    socket.write(answers[request.url](acceptOf(request)));
    socket.on('error', () => {});
  } else {
    sockets.handleUpgrade(request, socket, head, (ws) => serve(ws, request.url));
  }
});

// What each path does after the subscription. `send` sends MQTT.
const deeds = {
  '/text': (ws) => ws.send('a text message'),
  '/masked': (ws) => ws.send(Buffer.from([0xd0, 0]), { mask: true }),
  '/masked-ping': (ws) => ws.ping('x', true),
  '/large': (ws) => ws.send(publish(Buffer.alloc(16 * 1024 * 1024, 'x'))),
  '/garbage': (ws) => ws.send(Buffer.alloc(16 * 1024 * 1024, 0xff)),
  '/terminate': (ws) => ws.terminate(),
};

function publish(payload, topic = 'back') {
  const body = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic), payload]);
  const length = [];
  for (let left = body.length; left > 0 || length.length === 0; left >>>= 7) {
    length.push((left & 0x7f) | (left > 127 ? 0x80 : 0));
  }
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

// Sends bytes one by one, each in a fragment, with pings and empty fragments between them.
function sendFragments(ws, bytes) {
  for (let i = 0; i < bytes.length; i++) {
    ws.send(bytes.subarray(i, i + 1), { fin: false, binary: true });
    ws.ping(`between ${i}`);
    ws.send(Buffer.alloc(0), { fin: i === bytes.length - 1, binary: true });
  }
}

function serve(ws, url) {
  let rest = Buffer.alloc(0);
  let pongs = 0;
  const send = url === '/fragments' ? (bytes) => sendFragments(ws, bytes) : (bytes) => ws.send(bytes);
  ws.on('error', (error) => console.error(`the client broke a rule: ${error.message}`));
  ws.on('pong', (content) => { pongs += content.toString() === 'are you there?' ? 1 : 0; });
  ws.on('close', (code) => console.log(`CLOSED ${url} ${code} ${pongs}`));
  ws.on('message', (data, isBinary) => {
    if (!isBinary) console.error('the client sent text');
    rest = Buffer.concat([rest, data]);
    for (let packet; (packet = take(rest)); rest = rest.subarray(packet.size)) {
      handle(ws, url, packet, send);
    }
  });
  if (url === '/pings') {
    for (let i = 0; i < 100; i++) ws.ping('are you there?');
  }
}

// Returns the first MQTT packet, or null while it is incomplete.
function take(bytes) {
  let length = 0;
  for (let i = 1; i < bytes.length && i < 5; i++) {
    length |= (bytes[i] & 0x7f) << (7 * (i - 1));
    if (bytes[i] < 128) {
      const size = i + 1 + length;
      return bytes.length < size
        ? null : { type: bytes[0] >> 4, qos: (bytes[0] >> 1) & 3, body: bytes.subarray(i + 1, size), size };
    }
  }
  return null;
}

function handle(ws, url, packet, send) {
  const close = /^\/close-(\d+)$/.exec(url);
  if (packet.type === 1) {
    send(Buffer.from([0x20, 2, 0, 0]));
  } else if (packet.type === 8) {
    send(Buffer.from([0x90, 3, packet.body[0], packet.body[1], packet.body[packet.body.length - 1] & 1]));
    if (close) ws.close(Number(close[1]) === 1005 ? undefined : Number(close[1]), 'Secret');
    if (deeds[url]) deeds[url](ws);
  } else if (packet.type === 3) {
    const topic = packet.body.readUInt16BE(0);
    const at = 2 + topic + (packet.qos > 0 ? 2 : 0);
    if (packet.qos > 0) send(Buffer.from([0x40, 2, packet.body[at - 2], packet.body[at - 1]]));
    send(publish(packet.body.subarray(at), packet.body.subarray(2, 2 + topic).toString()));
  }
}

server.listen(0, '127.0.0.1', () => console.log(`PORT=${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
