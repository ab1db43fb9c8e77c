/** An X.224 Connection Request (MS-RDPBCGR 2.2.1.1), as a client sends it first. */
export function connectionRequest(
  user: string | undefined,
  text = user === undefined ? '' : `Cookie: mstshash=${user}\r\n`,
): Buffer {
  const negotiation = Buffer.from([1, 0, 8, 0, 1, 0, 0, 0])
  const rest = Buffer.concat([Buffer.from([0xe0, 0, 0, 0, 0, 0]), Buffer.from(text, 'latin1'), negotiation])
  const bytes = Buffer.concat([Buffer.from([3, 0, 0, 0, rest.length]), rest])
  bytes.writeUInt16BE(bytes.length, 2)
  return bytes
}
