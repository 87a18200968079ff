// Reads what is committed in a topic to its end, with kafkajs: node read_topic.mjs FOLDER-WITH-NODE_MODULES BROKER TOPIC
// Says a line of JSON for each message, as it comes.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, broker, topic] = process.argv.slice(2);
const library = createRequire(resolve(folder, "package.json"));
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = library("kafkajs");
const { decompress } = library("fzstd");
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  decompress: (buffer) => Buffer.from(decompress(buffer)),
  compress: () => { throw new Error("it only reads"); },
});

const told = (message, partition) => ({
  partition,
  offset: Number(message.offset),
  key: message.key.toString(),
  headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, value.toString()])),
  value: message.value.toString(),
});

const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const admin = kafka.admin();
const groupId = `read-topic-${randomUUID()}`;
const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100 });

// What it is not to show, aborted messages and the marks at a transaction's end, it reads over in batches of its own.
const read = new Map();
consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
  read.set(partition, Number(lastOffset) + 1);
});

await admin.connect();
const ends = await admin.fetchTopicOffsets(topic);
const hasEnded = () => ends.every(({ partition, high }) => Number(high) <= (read.get(partition) ?? 0));
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ partition, message }) => console.log(JSON.stringify(told(message, partition))),
});
while (!hasEnded()) await new Promise((wake) => setTimeout(wake, 50));
await consumer.disconnect();
await admin.deleteGroups([groupId]);
await admin.disconnect();
