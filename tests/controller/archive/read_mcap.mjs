// Reads a file of waveforms by its index, as a tool of the browser does, and prints what it found.
import { McapIndexedReader } from "@mcap/core";
import { decompress } from "fzstd";
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[2]);
const readable = {
  size: async () => BigInt(bytes.length),
  read: async (offset, length) => bytes.subarray(Number(offset), Number(offset + length)),
};
const reader = await McapIndexedReader.Initialize({
  readable,
  decompressHandlers: { zstd: (data, size) => decompress(data, new Uint8Array(Number(size))) },
});
const counts = {};
const units = {};
let last = 0n;
let falls = 0;
for await (const message of reader.readMessages({ validateCrcs: true })) {
  const channel = reader.channelsById.get(message.channelId);
  counts[channel.topic] = (counts[channel.topic] ?? 0) + 1;
  JSON.parse(new TextDecoder().decode(message.data));
  if (message.logTime < last) falls += 1;
  last = message.logTime;
}
for (const channel of reader.channelsById.values()) {
  const schema = JSON.parse(new TextDecoder().decode(reader.schemasById.get(channel.schemaId).data));
  units[channel.topic] = Object.fromEntries(
    Object.entries(schema.properties).map(([name, field]) => [name, field.unit ?? ""]),
  );
}
const metadata = {};
for await (const each of reader.readMetadata()) metadata[each.name] = Object.fromEntries(each.metadata);
console.log(
  JSON.stringify({ counts, units, falls, metadata, statistics: String(reader.statistics.messageCount) }),
);
