/* SPDX-License-Identifier: MIT */
#include "sites/text.h"

#include <Zydis/Zydis.h>
#include <string.h>

void ufx_site_text(const struct ufx_site *site, char text[UFX_SITE_TEXT])
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction i;
	ZydisFormatter formatter;
	ZydisDecoder decoder;
	size_t used = 0;

	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, 0);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING,
				  ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING,
				  ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&formatter,
				  ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, 1);
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	text[0] = '\0';
	for (uint8_t at = 0; at < site->length; at = (uint8_t)(at + i.length)) {
		if (at)
			used += strlen(strcpy(text + used, "; "));
		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, site->bytes + at,
						       (ZyanUSize)(site->length - at),
						       &i, operands)) ||
		    ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &i,
				operands, i.operand_count_visible, text + used,
				UFX_SITE_TEXT - used - 2, site->address + at,
				ZYAN_NULL))) {
			strcpy(text + used, "?");
			return;
		}
		used += strlen(text + used);
	}
}
