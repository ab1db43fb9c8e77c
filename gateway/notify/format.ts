import type { Message } from './message.ts'

/** A message as mail, Slack blocks and an adaptive card. Names and reasons are people's text: they are escaped, never markup. */

export interface Links {
  /** Opens the review in the client; never acts by itself. */
  app: string
  /** A page that leads there, for programs that show no other links than these. */
  web: string
}

export function linksOf(requestId: string, publicUrl: string): Links {
  return { app: `sallyport://request/${requestId}`, web: `${publicUrl}/open/request/${requestId}` }
}

export function plainText(message: Message, links: Links): string {
  const width = Math.max(...message.facts.map(({ name }) => name.length))
  const facts = message.facts.map(({ name, value }) => `${`${name}:`.padEnd(width + 2)}${value}`)
  return [message.text, '', ...facts, '', `Open: ${links.web}`, links.app, ''].join('\n')
}

/** Slack's escapes: with these three replaced there is no link, mention or channel in a text. */
export function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

export function blocks(message: Message, links: Links, buttons: boolean): object[] {
  const decide = buttons && message.decidable
  const open = { type: 'button', action_id: 'open', text: plain('Open'), url: links.web }
  const facts = message.facts.map(({ name, value }) => ({
    type: 'mrkdwn',
    text: `*${slackText(name)}*\n${slackText(value).slice(0, 1_900)}`,
  }))
  return [
    { type: 'header', text: plain(message.title.slice(0, 150)) },
    { type: 'section', text: plain(message.text.slice(0, 2_900)) },
    { type: 'section', fields: facts.slice(0, 10) },
    ...(decide
      ? [
          {
            type: 'input',
            block_id: 'reason',
            optional: true,
            label: plain('Reason (to deny, say why)'),
            element: { type: 'plain_text_input', action_id: 'reason', max_length: 2_000 },
          },
        ]
      : []),
    {
      type: 'actions',
      elements: decide
        ? [
            { type: 'button', action_id: 'approve', text: plain('Approve'), value: message.requestId },
            { type: 'button', action_id: 'deny', text: plain('Deny'), style: 'danger', value: message.requestId },
            open,
          ]
        : [open],
    },
  ]
}

function plain(text: string): object {
  return { type: 'plain_text', text, emoji: false }
}

export function adaptiveCard(message: Message, links: Links): object {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', size: 'Medium', weight: 'Bolder', text: markdownText(message.title), wrap: true },
      { type: 'TextBlock', text: markdownText(message.text), wrap: true },
      {
        type: 'FactSet',
        facts: message.facts.map(({ name, value }) => ({ title: name, value: markdownText(value) })),
      },
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Open', url: links.web }],
  }
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] }
}

/** Cards read a part of Markdown: its signs are escaped, so that nobody's reason becomes a link. */
function markdownText(text: string): string {
  return text.replaceAll(/[\\`*_[\]()#+!|<>~]/g, (sign) => `\\${sign}`)
}
