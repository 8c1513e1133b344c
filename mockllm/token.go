package mockllm

// A token is four bytes of text: the rule is the same for prompts and answers,
// it needs no vocabulary, and common English words of three letters with the
// space before them are a single token for real tokenizers too.
const tokenBytes = 4

// blockTokens is the size of a block of the prefix cache, vLLM's default.
const blockTokens = 16

// A prompt is what the model reads: the template's tokens, zeros, then each
// text padded to whole tokens.
type prompt []byte

func (p prompt) add(text string) prompt {
	p = append(p, text...)
	return p.pad()
}

func (p prompt) addZeros(n int) prompt { return append(p, make([]byte, n*tokenBytes)...) }

func (p prompt) pad() prompt {
	for len(p)%tokenBytes != 0 {
		p = append(p, 0)
	}
	return p
}

func (p prompt) tokens() int { return len(p) / tokenBytes }

var words = [64]string{
	" the", " and", " for", " you", " was", " are", " but", " not", " all", " any", " can", " had", " her", " one", " our", " out",
	" day", " get", " has", " him", " his", " how", " man", " new", " now", " old", " see", " two", " way", " who", " boy", " did",
	" its", " let", " put", " say", " she", " too", " use", " may", " big", " far", " few", " got", " job", " key", " law", " low",
	" map", " net", " off", " own", " pay", " red", " run", " set", " six", " ten", " top", " try", " war", " win", " yes", " air",
}

var emoji = [8]string{"🙂", "🚀", "🌍", "🎉", "🔥", "🐙", "🍀", "🧭"}

// word returns the i-th token of any answer.
func word(seed uint64, i int) string { return words[mix(seed^uint64(i))%uint64(len(words))] }

// pictogram returns the i-th token of an answer in emoji.
func pictogram(seed uint64, i int) string { return emoji[mix(seed^uint64(i))%uint64(len(emoji))] }

// argument returns the i-th of n tokens of a tool call's arguments; together
// they are a JSON object if there are at least three.
func argument(seed uint64, i, n int) string {
	switch {
	case i == 0:
		return `{"q"`
	case i == 1:
		return `:  "`
	case i == n-1:
		return ` a"}`
	}
	return word(seed, i)
}
