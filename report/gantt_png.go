package report

import (
	"bytes"
	"fmt"
	"image"
	imagecolor "image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A raster is a canvas of pixels, scale of them for each unit.
type raster struct {
	img   *image.RGBA
	scale float64
	face  *opentype.Font
	sizes map[float64]font.Face
}

func newRaster(width, height int, scale float64) (*raster, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("drawing a picture: reading the font: %w", err)
	}
	size := image.Rect(0, 0, int(scale*float64(width)), int(scale*float64(height)))
	return &raster{img: image.NewRGBA(size), scale: scale, face: f, sizes: map[float64]font.Face{}}, nil
}

func (r *raster) png() ([]byte, error) {
	var b bytes.Buffer
	// Large areas of one colour are small however hard one tries.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, r.paletted()); err != nil {
		return nil, fmt.Errorf("drawing a picture: %w", err)
	}
	return b.Bytes(), nil
}

// paletted returns the picture with a byte for a pixel, which takes a fraction
// of the time to encode. The first 256 colours are kept as they are; the few
// that may come after are shades at the edges of letters and take the nearest.
func (r *raster) paletted() *image.Paletted {
	out := image.NewPaletted(r.img.Rect, nil)
	index := map[[4]byte]uint8{}
	last, at := [4]byte{}, uint8(0)
	for i := range out.Pix {
		if pixel := [4]byte(r.img.Pix[4*i:]); pixel != last || i == 0 {
			known := false
			if at, known = index[pixel]; !known {
				c := imagecolor.RGBA{R: pixel[0], G: pixel[1], B: pixel[2], A: pixel[3]}
				if len(out.Palette) < 256 {
					out.Palette = append(out.Palette, c)
				}
				at = uint8(out.Palette.Index(c))
				index[pixel] = at
			}
			last = pixel
		}
		out.Pix[i] = at
	}
	return out
}

func (c color) rgba() imagecolor.RGBA {
	return imagecolor.RGBA{R: uint8(c >> 16), G: uint8(c >> 8), B: uint8(c), A: 255}
}

// box fills whole pixels; one that has any width has at least one.
func (r *raster) box(x, y, w, h float64, fill color, _ string) {
	if w <= 0 || h <= 0 {
		return
	}
	at := image.Rect(r.px(x), r.px(y), max(r.px(x+w), r.px(x)+1), max(r.px(y+h), r.px(y)+1))
	draw.Draw(r.img, at, image.NewUniform(fill.rgba()), image.Point{}, draw.Src)
}

func (r *raster) frame(x, y, w, h, width float64, stroke color) {
	r.box(x-width, y-width, w+2*width, width, stroke, "")
	r.box(x-width, y+h, w+2*width, width, stroke, "")
	r.box(x-width, y, width, h, stroke, "")
	r.box(x+w, y, width, h, stroke, "")
}

func (r *raster) px(v float64) int { return int(math.Round(v * r.scale)) }

func (r *raster) text(x, y, size float64, align int, fill color, text string) {
	face, ok := r.sizes[size]
	if !ok {
		var err error
		face, err = opentype.NewFace(r.face, &opentype.FaceOptions{Size: size * r.scale, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return // a size that the font does not have: only a picture without words
		}
		r.sizes[size] = face
	}
	d := font.Drawer{Dst: r.img, Src: image.NewUniform(fill.rgba()), Face: face}
	d.Dot = fixed.P(r.px(x), r.px(y))
	d.Dot.X -= d.MeasureString(text) * fixed.Int26_6(align+1) / 2
	d.DrawString(text)
}
