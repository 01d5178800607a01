#include "common/image/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <optional>
#include <utility>

#include "common/image/latin1.h"

namespace phasor::image {
namespace {

// A moderate level; changing it changes the bytes of every picture.
constexpr int kZlibLevel = 4;
constexpr int kMaxSide = 1 << 16;        // pixels
constexpr size_t kMaxKeywordBytes = 79;  // the PNG specification, 11.3.4.2
constexpr size_t kMaxChunkBytes = 8 << 20;

// libpng reports errors by longjmp; the message is left here. The functions that call setjmp have
// only trivial locals, so nothing is jumped over.
struct Failure {
  char message[256] = "";
};

void OnError(png_structp png, png_const_charp message) {
  auto* failure = static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure->message, message, sizeof(failure->message) - 1);
  longjmp(png_jmpbuf(png), 1);
}

void OnWarning(png_structp, png_const_charp) {}

class WriteStruct {
 public:
  WriteStruct()
      : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure_, OnError, OnWarning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  ~WriteStruct() { png_destroy_write_struct(&png_, &info_); }
  WriteStruct(const WriteStruct&) = delete;
  WriteStruct& operator=(const WriteStruct&) = delete;

  // False after an error, which message() tells.
  bool Write(int width, int height, const uint8_t* rgb, const std::vector<png_text>& texts,
             std::string* out) {
    if (info_ == nullptr || setjmp(png_jmpbuf(png_))) return false;
    png_set_write_fn(
        png_, out,
        [](png_structp png, png_bytep data, png_size_t size) {
          static_cast<std::string*>(png_get_io_ptr(png))
              ->append(reinterpret_cast<const char*>(data), size);
        },
        nullptr);
    png_set_compression_level(png_, kZlibLevel);
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB | PNG_FILTER_UP | PNG_FILTER_PAETH);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_text(png_, info_, texts.data(), static_cast<int>(texts.size()));
    png_write_info(png_, info_);
    for (int row = 0; row < height; ++row) {
      png_write_row(png_, rgb + static_cast<size_t>(row) * width * 3);
    }
    png_write_end(png_, nullptr);
    return true;
  }

  std::string message() const { return failure_.message; }

 private:
  Failure failure_;
  png_structp png_;
  png_infop info_;
};

class ReadStruct {
 public:
  ReadStruct()
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, OnError, OnWarning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  ~ReadStruct() { png_destroy_read_struct(&png_, &info_, nullptr); }
  ReadStruct(const ReadStruct&) = delete;
  ReadStruct& operator=(const ReadStruct&) = delete;

  bool ReadHeader(std::string_view* rest) {
    if (info_ == nullptr || setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, rest, [](png_structp png, png_bytep data, png_size_t size) {
      auto* input = static_cast<std::string_view*>(png_get_io_ptr(png));
      if (input->size() < size) png_error(png, "the file ends too early");
      std::memcpy(data, input->data(), size);
      input->remove_prefix(size);
    });
    png_set_user_limits(png_, kMaxSide, kMaxSide);
    png_set_chunk_malloc_max(png_, kMaxChunkBytes);
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool ReadRows(const std::vector<png_bytep>& rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, const_cast<png_bytepp>(rows.data()));
    png_read_end(png_, info_);
    return true;
  }

  uint64_t width() const { return png_get_image_width(png_, info_); }
  uint64_t height() const { return png_get_image_height(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }

  std::vector<PngText> Texts() const {
    png_textp text = nullptr;
    int count = 0;
    png_get_text(png_, info_, &text, &count);
    std::vector<PngText> texts;
    for (int i = 0; i < count; ++i) {
      const bool utf8 = text[i].compression == PNG_ITXT_COMPRESSION_NONE ||
                        text[i].compression == PNG_ITXT_COMPRESSION_zTXt;
      texts.push_back({text[i].key, utf8 ? text[i].text : Utf8FromLatin1(text[i].text)});
    }
    return texts;
  }

  std::string message() const { return failure_.message; }

 private:
  Failure failure_;
  png_structp png_;
  png_infop info_;
};

Status CheckText(const PngText& text) {
  const std::string name = "PNG text '" + text.keyword.substr(0, kMaxKeywordBytes) + "': ";
  if (text.keyword.empty() || text.keyword.size() > kMaxKeywordBytes) {
    return InvalidArgument(name + "the keyword must have 1 to 79 bytes");
  }
  for (const char c : text.keyword) {
    if (c < ' ' || c > '~') return InvalidArgument(name + "the keyword must be printable ASCII");
  }
  if (text.text.find('\0') != std::string::npos) return InvalidArgument(name + "contains NUL");
  return OkStatus();
}

}  // namespace

StatusOr<std::string> EncodePng(int width, int height, std::span<const uint8_t> rgb,
                                const std::vector<PngText>& texts) {
  if (width < 1 || width > kMaxSide || height < 1 || height > kMaxSide ||
      rgb.size() != static_cast<size_t>(width) * height * 3) {
    return InvalidArgument("PNG: " + std::to_string(width) + "x" + std::to_string(height) +
                           " does not go with " + std::to_string(rgb.size()) + " bytes of RGB");
  }
  std::vector<std::optional<std::string>> latin1;
  std::vector<png_text> chunks;
  latin1.reserve(texts.size());
  for (const PngText& text : texts) {
    RETURN_IF_ERROR(CheckText(text));
    latin1.push_back(Latin1FromUtf8(text.text));
    png_text chunk = {};
    chunk.key = const_cast<char*>(text.keyword.c_str());
    chunk.compression = latin1.back() ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.text = const_cast<char*>(latin1.back() ? latin1.back()->c_str() : text.text.c_str());
    chunks.push_back(chunk);
  }
  std::string out;
  out.reserve(rgb.size() / 2);
  WriteStruct writer;
  if (!writer.Write(width, height, rgb.data(), chunks, &out)) {
    return Internal("PNG: " + writer.message());
  }
  return out;
}

StatusOr<Png> DecodePng(std::string_view bytes, uint64_t max_pixels) {
  ReadStruct reader;
  if (!reader.ReadHeader(&bytes)) return InvalidArgument("PNG: " + reader.message());
  if (reader.width() * reader.height() > max_pixels) {
    return InvalidArgument("PNG: " + std::to_string(reader.width()) + "x" +
                           std::to_string(reader.height()) + " is more than " +
                           std::to_string(max_pixels) + " pixels");
  }
  Png png;
  png.width = static_cast<int>(reader.width());
  png.height = static_cast<int>(reader.height());
  if (reader.row_bytes() != static_cast<size_t>(png.width) * 3) {
    return Internal("PNG: rows are not 8-bit RGB");
  }
  png.rgb.resize(reader.row_bytes() * png.height);
  std::vector<png_bytep> rows(png.height);
  for (int row = 0; row < png.height; ++row) rows[row] = png.rgb.data() + row * reader.row_bytes();
  if (!reader.ReadRows(rows)) return InvalidArgument("PNG: " + reader.message());
  png.texts = reader.Texts();
  return png;
}

}  // namespace phasor::image
