package tokenizer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kinds of pieces and of models in SentencePiece's sentencepiece_model.proto.
const (
	pieceNormal, pieceUnknown, pieceUserDefined, pieceByte = 1, 2, 4, 6
	modelUnigram, modelBPE                                 = 1, 2
)

// A spModel is what a tokenizer.model says, as far as it matters here. The
// defaults are those of the schema.
type spModel struct {
	pieces       []spPiece
	kind         uint64
	byteFallback bool
	charsmap     []byte
	dummyPrefix  bool
	tidyBlanks   bool
	escapeBlanks bool
}

type spPiece struct {
	text  string
	score float64
	kind  uint64
}

// readSentencePiece makes a tokenizer of a tokenizer.model.
func readSentencePiece(name, _ string, text []byte) (*Tokenizer, error) {
	m := spModel{kind: modelUnigram, dummyPrefix: true, tidyBlanks: true, escapeBlanks: true}
	if err := m.parse(text); err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", name, err)
	}
	t, err := m.tokenizer(name)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", name, err)
	}
	return t, nil
}

var errNoModel = errors.New("it is not a SentencePiece model")

// protoFields calls field for each field of a protobuf message: with its
// number, and with its value as a number or as bytes.
func protoFields(message []byte, field func(number, value uint64, content []byte) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errNoModel
		}
		message = message[n:]
		var value uint64
		var content []byte
		size := 0
		switch tag & 7 {
		case 0:
			value, size = binary.Uvarint(message)
			if size <= 0 {
				return errNoModel
			}
		case 1:
			size = 8
		case 2:
			length, n := binary.Uvarint(message)
			if n <= 0 || length > uint64(len(message)-n) {
				return errNoModel
			}
			content, size = message[n:n+int(length)], n+int(length)
		case 5:
			size = 4
			if len(message) >= 4 {
				value = uint64(binary.LittleEndian.Uint32(message))
			}
		default:
			return errNoModel
		}
		if size > len(message) {
			return errNoModel
		}
		message = message[size:]
		if err := field(tag>>3, value, content); err != nil {
			return err
		}
	}
	return nil
}

// parse reads a ModelProto: pieces, trainer_spec and normalizer_spec.
func (m *spModel) parse(text []byte) error {
	return protoFields(text, func(number, _ uint64, content []byte) error {
		switch number {
		case 1:
			if len(m.pieces) == maxTokens {
				return fmt.Errorf("%d pieces: %w", maxTokens, errMany)
			}
			p := spPiece{kind: pieceNormal}
			err := protoFields(content, func(number, value uint64, content []byte) error {
				switch number {
				case 1:
					p.text = string(content)
				case 2:
					p.score = float64(math.Float32frombits(uint32(value)))
				case 3:
					p.kind = value
				}
				return nil
			})
			m.pieces = append(m.pieces, p)
			return err
		case 2:
			return protoFields(content, func(number, value uint64, _ []byte) error {
				switch number {
				case 3:
					m.kind = value
				case 24:
					if value != 0 {
						return unknown("option", "treat_whitespace_as_suffix")
					}
				case 35:
					m.byteFallback = value != 0
				}
				return nil
			})
		case 3:
			return protoFields(content, func(number, value uint64, content []byte) error {
				switch number {
				case 2:
					m.charsmap = content
				case 3:
					m.dummyPrefix = value != 0
				case 4:
					m.tidyBlanks = value != 0
				case 5:
					m.escapeBlanks = value != 0
				}
				return nil
			})
		}
		return nil
	})
}

// tokenizer builds the tokenizer that the model describes.
func (m *spModel) tokenizer(name string) (*Tokenizer, error) {
	switch {
	case len(m.pieces) == 0:
		return nil, errNoModel
	case len(m.charsmap) > 0:
		return nil, unknown("normalizer", "precompiled_charsmap")
	case !m.escapeBlanks:
		return nil, unknown("option", "escape_whitespaces=false")
	}
	t := &Tokenizer{name: name, cache: new(cache), contents: map[int]string{}, vocab: newVocab(len(m.pieces), 0)}
	t.decode = decoder{blank: blank, bytes: m.byteFallback}
	if m.dummyPrefix {
		t.decode.strip = 1
	}
	t.normalize = []normalizer{m.normalize}
	unk := int32(-1)
	var defined []addedToken
	for id, p := range m.pieces {
		if err := t.vocab.put(id, p.text, p.kind == pieceNormal || p.kind == pieceUserDefined); err != nil {
			return nil, fmt.Errorf("piece %d, %q: %w", id, shorten(p.text), err)
		}
		switch p.kind {
		case pieceNormal, pieceByte:
		case pieceUserDefined:
			t.contents[id] = strings.ReplaceAll(p.text, blank, " ")
			defined = append(defined, addedToken{id: int32(id), content: p.text})
		case pieceUnknown:
			unk = int32(id)
			fallthrough
		default:
			t.contents[id] = p.text
		}
	}
	t.addedNorm = newAddedTokens(defined)
	var bytes *[256]int32
	if m.byteFallback {
		bytes = m.byteIDs()
	}
	switch m.kind {
	case modelBPE:
		t.model = &bpe{vocab: t.vocab, ranks: m.ranks(), bytes: bytes, unknown: unk, fuse: true}
		if !m.hasInnerBlank() {
			t.stages = []stage{{cut: keepAll(beforeBlank)}}
		}
	case modelUnigram:
		u := &unigram{vocab: t.vocab, unknown: unk, bytes: bytes}
		for _, p := range m.pieces {
			u.scores = append(u.scores, p.score)
		}
		u.finish()
		t.model = u
	default:
		return nil, unknown("model type of SentencePiece", fmt.Sprint(m.kind))
	}
	return t, nil
}

// normalize writes blanks as SentencePiece does.
func (m *spModel) normalize(s string) string {
	if m.tidyBlanks {
		s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
	}
	if m.dummyPrefix && s != "" {
		s = " " + s
	}
	return strings.ReplaceAll(s, " ", blank)
}

// ranks orders the pieces by score: the higher, the earlier they merge.
func (m *spModel) ranks() []uint32 {
	order := make([]int, len(m.pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.pieces[b].score, m.pieces[a].score) })
	ranks := make([]uint32, len(order))
	rank := uint32(0)
	for i, id := range order {
		// Pieces of one score are of one rank: then the leftmost merges.
		if i > 0 && m.pieces[id].score != m.pieces[order[i-1]].score {
			rank++
		}
		ranks[id] = rank
	}
	return ranks
}

// byteIDs returns the ids of <0x00> to <0xFF>, nil unless all are there.
func (m *spModel) byteIDs() *[256]int32 {
	var ids [256]int32
	found := 0
	for id, p := range m.pieces {
		var b byte
		if n, err := fmt.Sscanf(p.text, "<0x%02X>", &b); p.kind == pieceByte && n == 1 && err == nil {
			ids[b] = int32(id)
			found++
		}
	}
	if found != len(ids) {
		return nil
	}
	return &ids
}

// hasInnerBlank reports whether a piece has a blank after something else.
func (m *spModel) hasInnerBlank() bool {
	return slices.ContainsFunc(m.pieces, func(p spPiece) bool {
		return strings.Contains(strings.TrimLeft(p.text, blank), blank)
	})
}
