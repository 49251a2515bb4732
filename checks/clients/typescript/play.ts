// Uses the API through the client that openapi-fetch makes of the document: submit, poll, page, filter, cancel, errors.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" });
type Status = components["schemas"]["BenchmarkOut"]["status"];
const ENDED: Status[] = ["completed", "failed", "cancelled"];

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`TypeScript client: ${what}`);
}

function present<T>(value: T | undefined, what: string): T {
  check(value !== undefined, `${what} is missing`);
  return value;
}

async function ended(id: number): Promise<Status> {
  for (let tries = 0; tries < 600; tries++) {
    const { data } = await client.GET("/benchmarks/{benchmark_id}", {
      params: { path: { benchmark_id: id }, query: { include: ["none"] } },
    });
    const status = present(data, "the benchmark").status;
    if (ENDED.includes(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`TypeScript client: benchmark ${id} has not ended`);
}

// Submit and poll.
const { data: submitted, response } = await client.POST("/benchmarks", {
  body: {
    name: "TypeScript",
    model: "sim-ttft5-gap1-n4",
    prompts: ["one", { messages: [{ role: "user", content: "two" }] }],
    repetitions: 2,
    metadata: { client: "typescript" },
  },
});
const id = present(submitted, "the submitted benchmark").id;
check(response.status === 202, `submit answered ${response.status}`);
check(response.headers.get("location") === `/benchmarks/${id}`, "no Location");
check((await ended(id)) === "completed", "the benchmark did not complete");

// Page.
const found: number[] = [];
let cursor: string | undefined;
do {
  const { data } = await client.GET("/benchmarks/{benchmark_id}/results", {
    params: { path: { benchmark_id: id }, query: { sort: "-ttft_ms", include: ["timeline"], limit: 3, cursor } },
  });
  const page = present(data, "a page of results");
  for (const result of page.items) {
    check((result.timeline?.length ?? 0) > 0, "a result has no timeline");
    found.push(result.ttft_ms ?? 0);
  }
  cursor = page.next_cursor ?? undefined;
} while (cursor !== undefined);
check(found.length === 4, `${found.length} results instead of 4`);
check(found.every((value, index) => index === 0 || value <= (found[index - 1] ?? 0)), "results are not sorted");

// Filter.
const { data: list } = await client.GET("/benchmarks", {
  params: { query: { metadata: ["client:typescript"], status: "completed" } },
});
check(present(list, "the list").items.map((item) => item.id).join() === `${id}`, "the metadata filter found another");

// Cancel.
const { data: endless } = await client.POST("/benchmarks", {
  body: { name: "Endless", model: "sim-ttft5-gap5-endless", prompts: ["x"] },
});
const endlessId = present(endless, "the endless benchmark").id;
await client.POST("/benchmarks/{benchmark_id}/cancel", { params: { path: { benchmark_id: endlessId } } });
check((await ended(endlessId)) === "cancelled", "the benchmark was not cancelled");

// Errors.
const refused = await client.POST("/benchmarks", { body: { name: "", model: "sim", prompts: ["x"] } });
check(refused.response.status === 422, `a wrong field answered ${refused.response.status}`);
check(present(refused.error, "the problem").errors?.[0]?.field === "name", "the problem does not name the field");
const nothing = await client.GET("/benchmarks/{benchmark_id}", { params: { path: { benchmark_id: 999_999 } } });
check(nothing.error?.code === "not_found", "an unknown id is not `not_found`");

console.log("TypeScript client: submit, poll, page, filter, cancel and errors work");
