import { createServer } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'

/** For tests: real servers that take what the gateway sends. */

export interface Mail {
  from: string
  to: string[]
  /** Headers and body as they came. */
  text: string
}

/** An SMTP server on loopback, RFC 5321 as far as one client needs. `greylist`: so many messages are put off first. */
export async function startSmtp(options: { greylist?: number } = {}) {
  const mails: Mail[] = []
  const sockets = new Set<Socket>()
  let putOff = options.greylist ?? 0
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.setEncoding('utf8')
    let mail: Mail = { from: '', to: [], text: '' }
    let inData = false
    let buffer = ''
    const say = (line: string) => socket.write(`${line}\r\n`)
    const command = (line: string) => {
      if (/^(EHLO|HELO) /i.test(line)) return say('250 test')
      if (/^MAIL FROM:/i.test(line)) {
        mail = { from: line.slice(10), to: [], text: '' }
        return say('250 ok')
      }
      if (/^RCPT TO:/i.test(line)) {
        if (putOff > 0) {
          putOff--
          return say('451 try again')
        }
        mail.to.push(line.slice(8).replace(/[<>]/g, ''))
        return say('250 ok')
      }
      if (/^DATA/i.test(line)) {
        inData = true
        return say('354 go on')
      }
      if (/^QUIT/i.test(line)) {
        say('221 bye')
        return socket.end()
      }
      say('250 ok')
    }
    say('220 test')
    socket.on('data', (chunk) => {
      buffer += String(chunk)
      for (;;) {
        const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n')
        if (end < 0) return
        const part = buffer.slice(0, end)
        buffer = buffer.slice(end + (inData ? 5 : 2))
        if (inData) {
          inData = false
          mails.push({ ...mail, text: part })
          say('250 taken')
        } else command(part)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  const port = await listen(server)
  return {
    port,
    mails,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

export interface Posted {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** An HTTP server on loopback; `answer` says what it answers to each, 200 and `{"ok":true}` if unsaid. */
export async function startHttpReceiver(answer: (posted: Posted) => number | object = () => 200) {
  const posts: Posted[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const posted = { path: request.url ?? '', headers: request.headers, body }
      posts.push(posted)
      const said = answer(posted)
      const status = typeof said === 'number' ? said : 200
      const json = typeof said === 'number' ? { ok: true } : said
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    posts,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function listen(server: ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
