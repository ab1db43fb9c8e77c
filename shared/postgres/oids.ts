/** OIDs below it are of what initdb made; from here on, of what people made (`FirstNormalObjectId` in `access/transam.h`). */
export const firstOwnOid = 16_384
