// SPDX-License-Identifier: Apache-2.0
// Language models that always do the same, one for each library: they call add_note with what the person said, and then
// say what the tool answered. All around them is the library's own.
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage } from '@langchain/core/messages';
import { MockLanguageModelV4 } from 'ai/test';

const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };

export const of_the_ai_sdk = new MockLanguageModelV4({
	doGenerate: async ({ prompt }) => {
		const { role, content: [part] } = prompt.at(-1);
		return role === 'tool'
			? { content: [{ type: 'text', text: JSON.stringify(part.output) }], finishReason: { unified: 'stop' }, usage, warnings: [] }
			: { content: [{ type: 'tool-call', toolCallId: 'one', toolName: 'add_note', input: JSON.stringify({ note: part.text }) }], finishReason: { unified: 'tool-calls' }, usage, warnings: [] };
	},
});

class Scripted extends BaseChatModel {
	_llmType() { return 'scripted'; }
	bindTools(tools) { return this.withConfig({ tools }); }
	async _generate(messages) {
		const { type, content } = messages.at(-1);
		const message = new AIMessage(type === 'tool' ? { content } : { content: '', tool_calls: [{ id: 'one', name: 'add_note', args: { note: content } }] });
		return { generations: [{ text: '', message }] };
	}
}
export const of_langchain = new Scripted({});
