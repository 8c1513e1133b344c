//go:build ignore

// Generate packs the rank files of tiktoken, as module
// github.com/pkoukk/tiktoken-go-loader carries them, into data/*.bin.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	// Not a requirement of the module: nothing but this program needs it.
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/pkoukk/tiktoken-go-loader@v0.0.2").Output()
	if err != nil {
		log.Fatalf("generate: fetching the module of the rank files: %v", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		log.Fatalf("generate: reading where the module lies: %v", err)
	}
	assets := filepath.Join(module.Dir, "assets")
	for _, name := range []string{"cl100k_base", "o200k_base", "p50k_base"} {
		if err := pack(filepath.Join(assets, name+".tiktoken"), filepath.Join("data", name+".bin")); err != nil {
			log.Fatalf("generate: packing %s: %v", name, err)
		}
	}
}

// pack writes the tokens of one rank file in the order of their ranks: their
// number, the sum of their lengths, one byte of length each (0 where a rank
// is not used), then all their bytes. Not compressed: that would save 1.4 MB
// of the program and cost 30 ms of each start, and this way the bytes are
// used where they lie.
func pack(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var tokens [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		word, number, _ := strings.Cut(lines.Text(), " ")
		token, err := base64.StdEncoding.DecodeString(word)
		if err != nil {
			return err
		}
		rank, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		for len(tokens) <= rank {
			tokens = append(tokens, nil)
		}
		tokens[rank] = token
	}
	var lengths, blob []byte
	for _, token := range tokens {
		if len(token) > 255 {
			return fmt.Errorf("token of %d bytes: a length is one byte", len(token))
		}
		lengths = append(lengths, byte(len(token)))
		blob = append(blob, token...)
	}
	packed := binary.LittleEndian.AppendUint32(nil, uint32(len(lengths)))
	packed = binary.LittleEndian.AppendUint32(packed, uint32(len(blob)))
	packed = append(append(packed, lengths...), blob...)
	return os.WriteFile(to, packed, 0o644)
}
