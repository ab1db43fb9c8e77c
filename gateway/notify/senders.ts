import { createHmac } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { isLoopback } from '../config-schema.ts'
import type { Channel, NotifyConfig } from './config.ts'
import { adaptiveCard, blocks, type Links, linksOf, plainText, slackText } from './format.ts'
import type { Letter } from './outbox.ts'

/** It will never be taken: not worth another attempt. */
export class Rejected extends Error {
  override readonly name = 'Rejected'
}

export interface Senders {
  /** Resolves once the other side has taken it. Rejects when it should be tried again, with `Rejected` when it should not. */
  send(letter: Letter): Promise<void>
  close(): void
}

const timeoutMs = 10_000

export function createSenders(config: NotifyConfig, publicUrl: string): Senders {
  const mail = config.smtp === undefined ? undefined : mailer(config.smtp)
  const channels = new Map(config.channels.map((channel) => [channel.name, channel]))

  const email = async (to: readonly string[], letter: Letter, links: Links): Promise<void> => {
    if (mail === undefined) throw new Rejected('there is no smtp in the configuration any more')
    await mail.send(to, letter, plainText(letter.message, links))
  }
  const slack = async (channel: string, letter: Letter, links: Links): Promise<void> => {
    const { slack } = config
    if (slack === undefined) throw new Rejected('there is no slack in the configuration any more')
    const buttons = slack.signingSecret !== undefined
    const body = {
      channel,
      text: slackLine(letter),
      blocks: blocks(letter.message, links, buttons),
    }
    const answer = await post(`${slack.api}/chat.postMessage`, JSON.stringify(body), {
      authorization: `Bearer ${slack.token}`,
      'content-type': 'application/json; charset=utf-8',
    })
    checkSlack(answer)
  }
  const toChannel = async (channel: Channel, letter: Letter, links: Links): Promise<void> => {
    const { message } = letter
    switch (channel.kind) {
      case 'email':
        return email(channel.to, letter, links)
      case 'slack': {
        if (channel.channel !== undefined) return slack(channel.channel, letter, links)
        const body = { text: slackLine(letter), blocks: blocks(message, links, false) }
        await post(channel.url ?? '', JSON.stringify(body), { 'content-type': 'application/json' })
        return
      }
      case 'teams':
        await post(channel.url, JSON.stringify(adaptiveCard(message, links)), { 'content-type': 'application/json' })
        return
      case 'webhook': {
        const body = JSON.stringify({ type: message.type, timestamp: message.at, data: { ...message, ...links } })
        const stamp = Math.floor(Date.now() / 1000)
        await post(channel.url, body, {
          'content-type': 'application/json',
          ...signed(channel.secret, `msg_${letter.id}`, stamp, body),
        })
        return
      }
    }
  }

  return {
    async send(letter) {
      const links = linksOf(letter.message.requestId, publicUrl)
      const { destination } = letter
      switch (destination.kind) {
        case 'email':
          return email([destination.to], letter, links)
        case 'slack-user':
          return slack(destination.id, letter, links)
        case 'channel': {
          const channel = channels.get(destination.name)
          if (channel === undefined) throw new Rejected(`there is no channel ${destination.name} any more`)
          return toChannel(channel, letter, links)
        }
      }
    },
    close: () => mail?.close(),
  }
}

/** What Slack shows where there is no room for blocks. */
function slackLine({ message }: Letter): string {
  return slackText(`${message.title}. ${message.text}`)
}

/** The headers of Standard Webhooks: the id stays the same when a message is sent again. */
export function signed(secret: string, id: string, stamp: number, body: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(stamp), 'webhook-signature': `v1,${signature}` }
}

/** Posts, follows no redirect, and resolves with the answer's text. */
export async function post(url: string, body: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...headers, 'user-agent': 'Sallyport' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = (await answer.text()).slice(0, 10_000)
  if (answer.ok) return text
  const reason = `${new URL(url).host} answered ${answer.status}`
  // Too many requests and time-outs pass; any other refusal is about the message itself.
  const passes = answer.status >= 500 || answer.status === 429 || answer.status === 408
  throw passes ? new Error(reason) : new Rejected(reason)
}

/** Slack answers 200 to what it refuses. */
function checkSlack(text: string): void {
  let error = 'an answer that is not JSON'
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
      if (answer.ok === true) return
      error = 'error' in answer ? String(answer.error) : 'an error'
    }
  } catch (cause) {
    throw new Error(`Slack answered ${error}`, { cause })
  }
  if (error === 'ratelimited' || error === 'internal_error') throw new Error(`Slack answered ${error}`)
  throw new Rejected(`Slack answered ${error}`)
}

function mailer(smtp: NonNullable<NotifyConfig['smtp']>) {
  const { host, port, secure, user, password, from } = smtp
  const transport = createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && !isLoopback(host),
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(to: readonly string[], { id, message }: Letter, text: string): Promise<void> {
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject: `[Sallyport] ${message.title}`,
          text,
          // Mail programs put all about one request together; a message that is sent twice is shown once.
          messageId: `<${id}.${message.requestId}@sallyport.invalid>`,
          inReplyTo: `<${message.requestId}@sallyport.invalid>`,
          references: `<${message.requestId}@sallyport.invalid>`,
        })
      } catch (error) {
        const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0
        if (code >= 500 && code < 600) throw new Rejected(`the mail server refused it: ${code}`, { cause: error })
        throw error
      }
    },
    close: () => transport.close(),
  }
}
